namespace Cake.K3s.Reporting;

/// <summary>A run that consists of nothing but such tasks leaves no report: they only show something, or take no time.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LeavesNoReportAttribute : Attribute;
