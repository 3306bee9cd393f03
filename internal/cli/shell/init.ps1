# A function named like the program would take the -- out of its arguments, so
# this one only renews this very shell's credentials.
function aws-switch-role-refresh {
    $program = (Get-Command aws-switch-role -CommandType Application -TotalCount 1).Source
    $code = (& $program refresh --format powershell @args) -join "`n"
    if ($LASTEXITCODE -eq 0 -and $code) { Invoke-Expression $code }
}

# Returns the profile and the time left, for a prompt function; nothing outside
# a switched shell.
function aws_switch_role_prompt {
    $who = "$env:AWS_SWITCH_ROLE_PROFILE" -replace '[\x00-\x1f\x7f]', ''
    if (-not $who) { return '' }
    $left = ''
    $colour = 33
    $end = [DateTimeOffset]::MinValue
    if ([DateTimeOffset]::TryParse("$env:AWS_SESSION_EXPIRATION", [ref]$end)) {
        $span = $end - [DateTimeOffset]::UtcNow
        if ($span.TotalMinutes -lt 5) { $colour = 31 }
        $hours = [Math]::Floor($span.TotalHours)
        if ($span.TotalSeconds -le 0) { $left = ' ended' }
        elseif ($span.TotalMinutes -lt 1) { $left = ' <1m' }
        elseif ($hours -lt 1) { $left = " $($span.Minutes)m" }
        elseif ($span.Minutes -eq 0) { $left = " ${hours}h" }
        else { $left = " ${hours}h$($span.Minutes)m" }
    }
    if ($env:NO_COLOR) { return "($who$left) " }
    $esc = [char]27
    return "$esc[${colour}m($who$left) $esc[0m"
}

Register-ArgumentCompleter -Native -CommandName 'aws-switch-role' -ScriptBlock {
    param($word, $ast, $cursor)
    $line = $ast.ToString()
    if ($line.Length -gt $cursor) { $line = $line.Substring(0, $cursor) }
    if ($line -match '^.*?\s--\s+(.*)$') {
        # What stands behind is another command line.
        $rest = $Matches[1]
        return (TabExpansion2 -inputScript $rest -cursorColumn $rest.Length).CompletionMatches
    }
    $program = (Get-Command aws-switch-role -CommandType Application -TotalCount 1).Source
    $words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if (-not $word -and $PSVersionTable.PSVersion -lt [version]'7.3') { $word = '""' } # an empty argument is dropped otherwise
    & $program __complete @words $word 2>$null | Where-Object { $_ -notmatch '^:\d+$' } | ForEach-Object {
        $name, $about = $_ -split "`t", 2
        if (-not $about) { $about = $name }
        $text = $name
        if ($name -match '[^\w./:@+=-]') { $text = "'" + ($name -replace "'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $name, 'ParameterValue', $about)
    }
}
