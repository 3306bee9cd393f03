# refresh changes this very shell; all else is the program's.
function aws-switch-role
    set -l here no
    if test "$argv[1]" = refresh
        set here yes
        for arg in $argv
            switch $arg
                case -h --help --format '--format=*'
                    set here no
            end
        end
    end
    if test $here = no
        command aws-switch-role $argv
        return
    end
    set -e argv[1]
    command aws-switch-role refresh --format fish $argv | source
    return $pipestatus[1]
end

# Sets the caller's who, left and soon: the profile, what is left of its
# session, and 1 in the last five minutes. fish does not know the time: in a
# switched shell, date is started.
function __aws_switch_role_state --no-scope-shadowing
    set who (string replace -ra '[[:cntrl:]]' '' -- "$AWS_SWITCH_ROLE_PROFILE")
    set left ''
    set soon ''
    set -l t (string match -r '^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$' -- "$AWS_SESSION_EXPIRATION")
    if test -z "$who"; or test (count $t) -ne 7
        return 0
    end
    # The days since 1970 of a year that begins in March.
    if test $t[3] -lt 3
        set t[2] (math "$t[2] - 1")
        set t[3] (math "$t[3] + 12")
    end
    set -l days (math "365 * $t[2] + floor($t[2] / 4) - floor($t[2] / 100) + floor($t[2] / 400) + floor((153 * ($t[3] - 3) + 2) / 5) + $t[4] - 719469")
    set -l s (math "(($days * 24 + $t[5]) * 60 + $t[6]) * 60 + $t[7] - "(command date +%s))
    if test $s -lt 300
        set soon 1
    end
    if test $s -le 0
        set left ended
    else if test $s -lt 60
        set left '<1m'
    else
        set -l h (math "floor($s / 3600)")
        set -l m (math "floor($s / 60) % 60")
        if test $h -gt 0
            set left $h'h'
        end
        if test $m -gt 0
            set left $left$m'm'
        end
    end
end

# Prints the profile and the time left, for fish_prompt; nothing outside a
# switched shell. It leaves $status as it was.
function aws_switch_role_prompt
    set -l last $status
    if set -q AWS_SWITCH_ROLE_PROFILE
        set -l who
        set -l left
        set -l soon
        __aws_switch_role_state
        if test -n "$who"
            set -l text "($who) "
            if test -n "$left"
                set text "($who $left) "
            end
            if test -n "$NO_COLOR"
                printf %s $text
            else
                set -l colour yellow
                if test -n "$soon"
                    set colour red
                end
                printf %s%s%s (set_color $colour) $text (set_color normal)
            end
        end
    end
    return $last
end

# Before each prompt: a session that needs a code is renewed once.
function __aws_switch_role_hook --on-event fish_prompt
    if test -n "$AWS_SWITCH_ROLE_SESSION"; and test -e "$AWS_SWITCH_ROLE_SESSION/needs-code"
        if test -z "$__aws_switch_role_asked"
            set -g __aws_switch_role_asked 1
            aws-switch-role refresh
        end
    else
        set -e __aws_switch_role_asked
    end
end

function __aws_switch_role_complete
    set -l tokens (commandline -opc)
    set -e tokens[1]
    if contains -- -- $tokens # what stands behind is another command line
        complete -C (string replace -r '^.*?\s--\s+' '' -- (commandline -cp | string collect) | string collect)
        return
    end
    set -l out (command aws-switch-role __complete $tokens (commandline -ct) 2>/dev/null </dev/null)
    set -l directive (string replace -r '^:' '' -- "$out[-1]")
    string match -qr '^\d+$' -- "$directive"; or return
    set -e out[-1]
    test (math "bitand($directive, 1)") -eq 0; or return
    if test (count $out) -gt 0
        set -l flag (string match -r '^-.*?=' -- (commandline -ct))
        for line in $out
            echo "$flag$line"
        end
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path (commandline -ct)
    end
end

complete -e -c aws-switch-role
complete -c aws-switch-role -f -k -a '(__aws_switch_role_complete)'
