using System.Globalization;
using System.Text.RegularExpressions;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>How far a build is, by the lines that buildx prints with <c>--progress=plain</c>.</summary>
internal sealed partial class BuildxProgress(string image)
{
    private readonly Dictionary<string, (int Done, int Total)> _stages = new(StringComparer.Ordinal);

    /// <summary>What a line says of the progress; null for most.</summary>
    public ImageProgressed? Take(string line)
    {
        var match = Step().Match(line);
        if (!match.Success)
        {
            return null;
        }

        // Of a Dockerfile with several stages each counts its own steps.
        var stage = match.Groups["stage"].Value;
        var done = int.Parse(match.Groups["step"].Value, CultureInfo.InvariantCulture);
        _stages[stage] = (Math.Max(done, _stages.GetValueOrDefault(stage).Done), int.Parse(match.Groups["steps"].Value, CultureInfo.InvariantCulture));
        return new(image, ImageStage.Build, _stages.Values.Sum(counted => counted.Done), _stages.Values.Sum(counted => counted.Total), match.Groups["text"].Value);
    }

    // "#7 [build 3/5] RUN make"; internal steps have no number.
    [GeneratedRegex(@"^#\d+ \[(?<stage>\S+ )?(?<step>\d{1,4})/(?<steps>\d{1,4})\] (?<text>.+)$")]
    private static partial Regex Step();
}
