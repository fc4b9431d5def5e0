namespace Cake.K3s.Settings;

/// <summary>The least and the greatest value of a whole number.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class BetweenAttribute(int least, int greatest) : Attribute
{
    /// <summary>The least value.</summary>
    public int Least => least;

    /// <summary>The greatest value.</summary>
    public int Greatest => greatest;
}
