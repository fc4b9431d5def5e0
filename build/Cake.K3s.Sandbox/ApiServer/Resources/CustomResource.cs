using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>What a CustomResourceDefinition says beyond the resource itself.</summary>
/// <param name="DefinitionName">The name of the definition object.</param>
/// <param name="OpenApi">The <c>openAPIV3Schema</c> of the version as it was written.</param>
/// <param name="Columns">Its <c>additionalPrinterColumns</c>.</param>
/// <param name="Scale">Its <c>subresources.scale</c>; null without one.</param>
internal sealed record CustomResource(string DefinitionName, JsonObject OpenApi, IReadOnlyList<PrinterColumn> Columns, ScalePaths? Scale);

/// <summary>A column of <c>kubectl get</c>: its value is at a JSONPath.</summary>
internal sealed record PrinterColumn(string Name, string Type, string JsonPath, string Format, string Description, int Priority);

/// <summary>Where a custom resource keeps what <c>kubectl scale</c> reads and writes, as JSONPaths.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);
