using System.Formats.Tar;
using System.Text;

namespace Cake.K3s.Operations.Contingency;

/// <summary>A tar archive of text files, kept in memory: it is written to no disk before it is encrypted.</summary>
internal sealed class ExportArchive : IDisposable
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly MemoryStream _bytes = new();
    private readonly TarWriter _tar;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _time;

    public ExportArchive(DateTimeOffset time)
    {
        _time = time;
        _tar = new TarWriter(_bytes, TarEntryFormat.Pax, leaveOpen: true);
    }

    /// <summary>How many files it has.</summary>
    public int Count => _names.Count;

    /// <summary>Adds a file; one of a name that is there already is left out.</summary>
    public void Add(string name, string text)
    {
        if (!_names.Add(name))
        {
            return;
        }

        using var content = new MemoryStream(Strict.GetBytes(text));
        _tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, ModificationTime = _time, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    /// <summary>Adds a file from disk; one that is no text as base64, with that at the end of its name.</summary>
    public void AddFile(string name, string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            Add(name, Strict.GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            Add(name + ".base64", Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks));
        }
    }

    /// <summary>The archive, which is text too, since all in it is.</summary>
    public string Finish()
    {
        _tar.Dispose();
        return Strict.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length);
    }

    public void Dispose()
    {
        _tar.Dispose();
        _bytes.Dispose();
    }
}
