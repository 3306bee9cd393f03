
if (-not (Test-Path function:__aws_switch_role_prompt)) {
    Copy-Item function:prompt function:__aws_switch_role_prompt
    function prompt { "$(aws_switch_role_prompt)$(__aws_switch_role_prompt)" }
}
