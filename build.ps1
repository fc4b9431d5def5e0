#!/usr/bin/env pwsh
# Compiles build/Build when something that it is made of changed, then starts it: arguments, exit status and stdin are its
# own, and so is the directory where that is inside the repository; from elsewhere it runs at the root.
# Exit codes of its own: 1 it does not compile, 5 no SDK. The same as build.sh.
$ErrorActionPreference = 'Stop'
$caller = (Get-Location).Path
Push-Location $PSScriptRoot
try {
    $out = Join-Path (Join-Path $PSScriptRoot 'build') 'bin'    # ignored by git; apart from bin/ and obj/ of the projects
    $stamp = Join-Path $out 'compiled-by-ps1'                   # names the folder to start, and what its sources looked like

    function Get-Source {
        $folders = @(Get-Item 'build')
        while ($folders) {
            $entries = @($folders | Get-ChildItem -Force)
            $entries | Where-Object { -not $_.PSIsContainer }
            $folders = @($entries | Where-Object { $_.PSIsContainer -and $_.Name -notin 'bin', 'obj' })
        }
        Get-Item 'Directory.*', 'global.json'
    }

    # What a file looked like; a set of these tells also of files that went, or came with an older date.
    function Format-Source($file) { "$($file.FullName)|$($file.Length)|$($file.LastWriteTimeUtc.Ticks)" }

    function Get-Program { if (Test-Path $stamp) { Join-Path @(Get-Content $stamp)[0] 'Build.dll' } }

    function Get-Compiled {
        $compiled = [Collections.Generic.HashSet[string]]::new()
        if (Test-Path $stamp) { foreach ($line in @(Get-Content $stamp)) { $null = $compiled.Add($line) } }
        , $compiled
    }

    function Test-Current {
        $program = Get-Program
        if (-not $program -or -not (Test-Path $program)) { return $false }
        $compiled = Get-Compiled
        $sources = @(Get-Source)
        return $compiled.Count -eq $sources.Count + 1 -and -not ($sources | Where-Object { -not $compiled.Contains((Format-Source $_)) })
    }

    function Assert-Sdk {
        $wanted = (Get-Content 'global.json' -Raw | ConvertFrom-Json).sdk.version
        if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) {
            $installed = 'there is no dotnet on the PATH'
        } else {
            $ErrorActionPreference = 'Continue'
            dotnet --version *> $null
            if ($LASTEXITCODE -eq 0) { return }
            $installed = 'installed: ' + (@(dotnet --list-sdks | ForEach-Object { ($_ -split ' ')[0] }) -join ' ')
        }
        [Console]::Error.WriteLine("The .NET SDK $wanted or a later feature band of it is needed (global.json); $installed. Get it from https://dot.net/download.")
        exit 5
    }

    # Only one compiles; the others wait, and find it done.
    function Lock-Compilation {
        New-Item -ItemType Directory -Force $out > $null
        while ($true) {
            try { return [IO.File]::Open((Join-Path $out 'lock.ps1'), 'OpenOrCreate', 'ReadWrite', 'None') }
            catch [IO.IOException] { Start-Sleep -Milliseconds 200 }
        }
    }

    function Invoke-Compilation {
        $start = [DateTime]::UtcNow
        if (Test-Path $stamp) {
            # The compiler goes by the time of modification, so a file that was replaced by an older one must look new.
            $compiled = Get-Compiled
            Get-Source | Where-Object { -not $compiled.Contains((Format-Source $_)) } | ForEach-Object { $_.LastWriteTimeUtc = $start }
        }
        $sources = @(Get-Source | ForEach-Object { Format-Source $_ })
        $ErrorActionPreference = 'Continue'
        # Matters of style are for the lint; they do not stand in the way of a deploy.
        $log = dotnet build build/Build -c Release --artifacts-path $out -v quiet -nologo -clp:NoSummary -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false 2>&1
        if ($LASTEXITCODE -ne 0) {
            $log | ForEach-Object { [Console]::Error.WriteLine($_) }
            [Console]::Error.WriteLine('build/Build does not compile.')
            exit 1
        }
        $ErrorActionPreference = 'Stop'

        # A folder of its own each time: runs and the sandbox go on in the one that they were started from. One in use cannot be
        # moved, so it is not removed.
        $hosts = New-Item -ItemType Directory -Force (Join-Path $out 'hosts')
        $latest = if (Test-Path $stamp) { @(Get-Content $stamp)[0] }
        foreach ($old in Get-ChildItem $hosts.FullName -Directory | Where-Object { $IsWindows -ne $false -and $_.FullName -ne $latest }) {
            try { $old.MoveTo($old.FullName + '.old'); $old.Delete($true) } catch [IO.IOException], [UnauthorizedAccessException] { continue }
        }
        $folder = Join-Path $hosts.FullName "$PID-$($start.Ticks)"
        Copy-Item -Recurse (Join-Path $out 'bin/Build/release') $folder
        Set-Content "$stamp.new" (@($folder) + $sources)
        Move-Item -Force "$stamp.new" $stamp
    }

    if (-not (Test-Current)) {
        $lock = Lock-Compilation
        try {
            if (-not (Test-Current)) {
                Assert-Sdk
                Invoke-Compilation
            }
        } finally {
            $lock.Dispose()
        }
    } elseif (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) {
        Assert-Sdk
    }

    $program = Get-Program
    if ("$caller/".Replace('\', '/').StartsWith("$PSScriptRoot/".Replace('\', '/'))) { Set-Location $caller }
    if ($MyInvocation.ExpectingInput) { $input | dotnet $program @args } else { dotnet $program @args }
    exit $LASTEXITCODE
} finally {
    Pop-Location
}
