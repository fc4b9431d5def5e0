using Cake.Core;

namespace Cake.Frosting;

/// <summary>The context that tasks are given.</summary>
public interface IFrostingContext : ICakeContext;
