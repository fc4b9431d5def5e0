using System.Globalization;
using System.Text;

namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>Turns unpacked Debian packages into the root of an image.</summary>
internal static class BaseImageRoot
{
    private const string Certificates = "usr/share/ca-certificates";

    // Since usrmerge these are links into usr/; some packages still have files under the old names.
    private static readonly string[] Merged = ["bin", "lib", "lib64", "sbin"];

    private static readonly string[] LeftOut =
    [
        "usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/lintian/", "usr/share/bash-completion/", "usr/share/bug/",
        "usr/share/ca-certificates/", "etc/init.d/", "etc/logrotate.d/", "usr/lib/systemd/", "var/", "usr/sbin/update-ca-certificates",
    ];

    /// <summary>The layer with the packages' files, the user, and what installing would have made.</summary>
    /// <param name="image">The image.</param>
    /// <param name="unpacked">Where the packages are unpacked.</param>
    public static ImageTree Build(BaseImage image, string unpacked)
    {
        var tree = new ImageTree();
        tree.AddTree("", unpacked, Place);
        foreach (var directory in Merged)
        {
            tree.AddDirectory("usr/" + directory);
            tree.AddLink(directory, "usr/" + directory);
        }

        tree.AddDirectory("tmp", (UnixFileMode)0b1_111_111_111);
        tree.AddDirectory("var/tmp", (UnixFileMode)0b1_111_111_111);
        foreach (var directory in image.OwnDirectories)
        {
            tree.AddDirectory(directory, (UnixFileMode)0b111_101_101, image.User.Id);
        }

        var (user, id) = image.User;
        tree.AddText("etc/passwd", Line($"root:x:0:0:root:/root:/sbin/nologin") + Line($"{user}:x:{id}:{id}::/home/{user}:/sbin/nologin"));
        tree.AddText("etc/group", Line($"root:x:0:") + Line($"{user}:x:{id}:"));
        tree.AddText("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
        if (Bundle(Path.Combine(unpacked, Certificates)) is { } bundle)
        {
            tree.AddText("etc/ssl/certs/ca-certificates.crt", bundle);
        }

        return tree;
    }

    internal static string? Place(string path)
    {
        var top = path.Split('/', 2);
        var merged = Merged.Contains(top[0]) ? "usr/" + path : path;
        return top.Length == 1 || LeftOut.Any(prefix => merged.StartsWith(prefix, StringComparison.Ordinal)) ? null : merged;
    }

    // What update-ca-certificates writes.
    private static string? Bundle(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var file in Directory.EnumerateFiles(directory, "*.crt", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            text.Append(File.ReadAllText(file).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture) + "\n";
}
