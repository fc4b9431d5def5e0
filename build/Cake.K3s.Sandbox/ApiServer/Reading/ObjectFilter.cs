using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Selectors;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Reading;

/// <summary>Which objects of a collection a request is about.</summary>
internal sealed class ObjectFilter(LabelSelector labels, FieldSelector fields, string? namespaceName)
{
    public bool IsEverything => labels.IsEverything && fields.IsEverything;

    public bool Matches(StoredObject value)
        => (namespaceName is null || value.Key.Namespace == namespaceName)
            && (fields.IsEverything || (fields.Name is not { } name || value.Key.Name == name) && fields.Matches(value.Shared))
            && (labels.IsEverything || labels.Matches(value.Labels));

    /// <summary>Reads the selectors of a request.</summary>
    /// <exception cref="ApiException">One cannot be understood.</exception>
    public static ObjectFilter Of(RequestTarget target, IQueryCollection query)
    {
        try
        {
            return new ObjectFilter(
                LabelSelector.Parse(query["labelSelector"]),
                FieldSelector.Parse(query["fieldSelector"], target.Resource),
                target.Namespace);
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest(exception.Message);
        }
    }
}
