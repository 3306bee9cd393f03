
if functions -q fish_prompt; and not functions -q __aws_switch_role_fish_prompt
    functions -c fish_prompt __aws_switch_role_fish_prompt
    function fish_prompt
        aws_switch_role_prompt
        __aws_switch_role_fish_prompt
    end
end
