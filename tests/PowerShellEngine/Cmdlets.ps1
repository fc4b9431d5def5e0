# Stand-ins for cmdlets of Microsoft.PowerShell.Management and Microsoft.PowerShell.Utility, which no package carries: what build.ps1
# uses of each, over the engine's own file system provider and .NET.

function Get-Location { $ExecutionContext.SessionState.Path.CurrentLocation }
function Set-Location([string] $Path) { $null = $ExecutionContext.SessionState.Path.SetLocation($Path) }
function Push-Location([string] $Path) { $ExecutionContext.SessionState.Path.PushCurrentLocation(''); Set-Location $Path }
function Pop-Location { $null = $ExecutionContext.SessionState.Path.PopLocation('') }
function Join-Path([string] $Path, [string] $ChildPath) { $ExecutionContext.SessionState.Path.Combine($Path, $ChildPath) }
function Test-Path([string] $Path) { $ExecutionContext.InvokeProvider.Item.Exists($Path) }
function Get-Item([string[]] $Path) { $ExecutionContext.InvokeProvider.Item.Get($Path, $false, $false) }
function Move-Item([switch] $Force, [string] $Path, [string] $Destination) { [IO.File]::Move($Path, $Destination, $Force) }
function Copy-Item([switch] $Recurse, [string] $Path, [string] $Destination) { $null = $ExecutionContext.InvokeProvider.Item.Copy($Path, $Destination, $Recurse, 'CopyTargetContainer') }
function Set-Content([string] $Path, [string[]] $Value) { [IO.File]::WriteAllLines($Path, $Value) }
function Start-Sleep([int] $Milliseconds) { [Threading.Thread]::Sleep($Milliseconds) }

function New-Item([string] $ItemType, [switch] $Force, [string] $Path) {
    [IO.Directory]::CreateDirectory($ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path))
}

function Get-ChildItem {
    param([Parameter(Position = 0)][string] $Path, [Parameter(ValueFromPipeline)] $InputObject, [switch] $Directory, [switch] $Force)
    process {
        $folder = if ($Path) { $Path } else { $InputObject.FullName }
        $ExecutionContext.InvokeProvider.ChildItem.Get(@($folder), $false, $Force, $true) | Where-Object { -not $Directory -or $_.PSIsContainer }
    }
}

function Get-Content([string] $Path, [switch] $Raw) {
    $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    if ($Raw) { [IO.File]::ReadAllText($file) } else { [IO.File]::ReadAllLines($file) }
}

function ConvertFrom-Json {
    param([Parameter(ValueFromPipeline)][string] $InputObject)
    process {
        function ConvertFrom-Node($Node) {
            if ($Node -isnot [Text.Json.Nodes.JsonObject]) { return $Node.ToString() }
            $object = [ordered] @{}
            foreach ($property in $Node.GetEnumerator()) { $object[$property.Key] = ConvertFrom-Node $property.Value }
            [pscustomobject] $object
        }
        ConvertFrom-Node ([Text.Json.Nodes.JsonNode]::Parse($InputObject))
    }
}

# The engine's own, for what is piped to a program.
function Out-String {
    param([Parameter(ValueFromPipeline)] $InputObject, [switch] $Stream)
    process { "$InputObject" }
}
