namespace Cake.Frosting;

/// <summary>The host or a task is set up wrongly.</summary>
public sealed class FrostingException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What is wrong.</param>
    public FrostingException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that wraps another.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">Its cause.</param>
    public FrostingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
