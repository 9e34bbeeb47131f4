<#
.SYNOPSIS
    Stop and remove the service of Windows. Folders, settings, journal and program stay.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File service\windows\remove.ps1
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$mediawatch = Join-Path $PSScriptRoot '..\..\.venv\Scripts\mediawatch.exe'
& $mediawatch service uninstall
if ($LASTEXITCODE -ne 0) { throw "mediawatch service uninstall ended with code $LASTEXITCODE." }
