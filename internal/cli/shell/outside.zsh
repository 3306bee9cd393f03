
# Prints the profile and the time left, for $(...) in a prompt; nothing outside
# a switched shell. Here the options are yours.
function aws_switch_role_prompt { \_aws_switch_role_segment "${options[promptpercent]-on}" }
