<#
.SYNOPSIS
    Install mediawatch as a service of Windows, and start it; run again, it brings it up to date.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File service\windows\install.ps1 -Config C:\mediawatch\config.toml
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
param(
    # The settings file. It is checked before anything is installed.
    [Parameter(Mandatory)] [string] $Config,
    # The version of Python that makes the virtual environment, for the "py" launcher.
    [string] $Python = '-3.11'
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Invoke-Program([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program $Arguments ended with code $LASTEXITCODE." }
}

$root = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path
$settings = (Resolve-Path $Config).Path
$scripts = Join-Path $root '.venv\Scripts'
$venvPython = Join-Path $scripts 'python.exe'
$mediawatch = Join-Path $scripts 'mediawatch.exe'

# What runs cannot be replaced.
if (Get-Service -Name mediawatch -ErrorAction SilentlyContinue) { Stop-Service -Name mediawatch }

if (-not (Test-Path $venvPython)) {
    Invoke-Program 'py' @($Python, '-m', 'venv', (Join-Path $root '.venv'))
}
$pip = @('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check')
Invoke-Program $venvPython ($pip + @('--require-hashes', '-r', (Join-Path $root 'requirements\run.txt')))
Invoke-Program $venvPython ($pip + @('--no-deps', '--no-build-isolation', '--force-reinstall', $root))

Invoke-Program $mediawatch @('check', '--config', $settings)
Invoke-Program $mediawatch @('service', 'install', '--config', $settings)
Invoke-Program $mediawatch @('service', 'start')
