# No alias of yours gets into these functions.
if \shopt -q expand_aliases; then _aws_switch_role_aliases=1; \shopt -u expand_aliases; fi

# refresh changes this very shell; all else is the program's.
function _aws_switch_role_run {
  local arg code
  if [[ ${1-} != refresh ]]; then
    command aws-switch-role "$@"
    return
  fi
  for arg; do
    case $arg in -h | --help | --format | --format=*)
      command aws-switch-role "$@"
      return
      ;;
    esac
  done
  code=$(command aws-switch-role refresh --format env "${@:2}") || return
  eval "$code"
}
if [[ :${SHELLOPTS-}: != *:posix:* ]]; then # POSIX knows no such name
  function aws-switch-role { _aws_switch_role_run "$@"; }
fi

# Sets the caller's who, left and soon: the profile, what is left of its
# session, and 1 in the last five minutes. It starts no process where bash
# knows the time: since version 4.2.
function _aws_switch_role_state {
  local t=${AWS_SESSION_EXPIRATION-} now=${EPOCHSECONDS-} y m d days s
  who=${AWS_SWITCH_ROLE_PROFILE-} left='' soon=''
  who=${who//[[:cntrl:]]/}
  [[ -n $who && $t == [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z ]] || return 0
  if [[ -z $now ]]; then printf -v now '%(%s)T' -1 2>/dev/null || now=$(command date +%s); fi
  # The days since 1970 of a year that begins in March.
  y=$((10#${t:0:4})) m=$((10#${t:5:2})) d=$((10#${t:8:2}))
  if [[ $m -lt 3 ]]; then y=$((y - 1)) m=$((m + 12)); fi
  days=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469))
  s=$((((days * 24 + 10#${t:11:2}) * 60 + 10#${t:14:2}) * 60 + 10#${t:17:2} - now))
  if [[ $s -lt 300 ]]; then soon=1; fi
  if [[ $s -le 0 ]]; then
    left=ended
  elif [[ $s -lt 60 ]]; then
    left='<1m'
  else
    if [[ $s -ge 3600 ]]; then left=$((s / 3600))h; fi
    if [[ $((s / 60 % 60)) -gt 0 ]]; then left+=$((s / 60 % 60))m; fi
  fi
}

# Sets the caller's text to the segment, with colours in between the marks that
# tell readline what has no width.
function _aws_switch_role_segment {
  local who left soon colour
  _aws_switch_role_state
  text=''
  if [[ -z $who ]]; then return 0; fi
  text="($who${left:+ $left}) "
  if [[ -z ${NO_COLOR-} ]]; then
    colour=33
    if [[ -n $soon ]]; then colour=31; fi
    text=$'\001\e['$colour$'m\002'$text$'\001\e[0m\002'
  fi
}

# Prints the profile and the time left, for $(...) in PS1; nothing outside a
# switched shell.
function aws_switch_role_prompt {
  local text
  _aws_switch_role_segment
  printf %s "$text"
}

# Before each prompt. Whoever comes next finds $? as it was.
function _aws_switch_role_hook {
  local status=$? text
  # A session that needs a code is renewed once.
  if [[ -n ${AWS_SWITCH_ROLE_SESSION-} && -e $AWS_SWITCH_ROLE_SESSION/needs-code ]]; then
    if [[ -z ${_aws_switch_role_asked-} ]]; then
      _aws_switch_role_asked=1
      _aws_switch_role_run refresh || true
    fi
  else
    _aws_switch_role_asked=''
  fi
  if [[ -n ${_aws_switch_role_draws-} ]] && shopt -q promptvars; then
    _aws_switch_role_segment
    _aws_switch_role_text=$text
    case ${PS1-} in
      *_aws_switch_role_text*) ;;
      *) PS1='${_aws_switch_role_text-}'${PS1-} ;;
    esac
  fi
  return "$status"
}

# Appends those lines of $1 to COMPREPLY that begin with $2.
function _aws_switch_role_reply {
  local line
  while IFS= read -r line; do
    if [[ -n $line && $line == "${2-}"* ]]; then COMPREPLY+=("$line"); fi
  done <<<"$1"
}

# Completes the command line that begins at word $1 of COMP_WORDS.
function _aws_switch_role_command {
  local at=$1 cmd=${COMP_WORDS[$1]} cur=${COMP_WORDS[COMP_CWORD]} i spec line=${COMP_LINE:0:COMP_POINT}
  line=${line#*[[:space:]]--[[:space:]]}
  line=${line#"${line%%[![:space:]]*}"}
  if [[ $COMP_CWORD -gt $at ]]; then
    spec=$(complete -p -- "$cmd" 2>/dev/null || complete -p -- "${cmd##*/}" 2>/dev/null) || spec=''
  fi
  if [[ ${spec-} == *' -C '* ]]; then # a program completes, as the AWS CLI's does
    eval "local words=($spec)"
    for ((i = 0; i < ${#words[@]}; i++)); do
      if [[ ${words[i]} == -C ]]; then break; fi
    done
    _aws_switch_role_reply "$(COMP_LINE=$line COMP_POINT=${#line} command ${words[i + 1]} "$cmd" "$cur" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null)"
  elif declare -F _command_offset >/dev/null; then # bash-completion knows all
    _command_offset "$at"
  elif [[ $COMP_CWORD -eq $at ]]; then
    _aws_switch_role_reply "$(compgen -c -- "$cur")"
  elif [[ ${spec-} == *' -F '* ]]; then
    spec=${spec#*' -F '}
    COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=("${COMP_WORDS[@]:at}") COMP_CWORD=$((COMP_CWORD - at))
    "${spec%% *}" "$cmd" "$cur" "${COMP_WORDS[COMP_CWORD - 1]}" || true
  else
    compopt -o filenames 2>/dev/null || true
    _aws_switch_role_reply "$(compgen -f -- "$cur")"
  fi
}

function _aws_switch_role_complete {
  local rest=${COMP_LINE:0:COMP_POINT} words=() word glued i line out directive cur quoted='' before longest=0 described=''
  COMPREPLY=()
  # Readline parts words at colons and equals signs, too.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    glued=1
    if [[ $i -eq 0 || $rest == [[:space:]]* ]]; then glued=''; fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    word=${COMP_WORDS[i]}
    if [[ $i -eq $COMP_CWORD ]]; then
      word=$rest
      if [[ $word == [\"\']* ]]; then quoted=1; fi
    elif [[ $word == -- && -z $glued ]]; then
      _aws_switch_role_command $((i + 1))
      return 0
    fi
    rest=${rest#"$word"}
    word=${word//[\\\"\']/}
    if [[ -n $glued ]]; then words[${#words[@]} - 1]+=$word; else words+=("$word"); fi
  done
  out=$(command aws-switch-role __complete "${words[@]:1}" 2>/dev/null </dev/null) || return 0
  directive=${out##*:}
  out=${out%:*}
  if [[ $((directive & 1)) -ne 0 ]]; then return 0; fi
  cur=${words[${#words[@]} - 1]}
  before=${cur%"${cur##*:}"} # what readline takes for other words
  if [[ $cur == -*=* ]]; then cur=${cur#*=}; fi
  IFS=$'\n' read -r -d '' -a COMPREPLY <<<"$out" || true
  if [[ ${#COMPREPLY[@]} -gt 200 && $out != *[^a-zA-Z0-9_./:@%+,=$'\n'-]* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"$before"}") # nobody reads them, and none is described
    return 0
  fi
  COMPREPLY=()
  _aws_switch_role_reply "$out" "$cur"
  if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
    if [[ $((directive & 4)) -eq 0 ]]; then
      compopt -o filenames 2>/dev/null || true
      _aws_switch_role_reply "$(compgen -f -- "$cur")"
    fi
    return 0
  fi
  if [[ $((directive & 2)) -ne 0 ]]; then compopt -o nospace 2>/dev/null || true; fi
  # Where a list is shown, it has the descriptions in it.
  if [[ ${#COMPREPLY[@]} -gt 1 && ${COMP_TYPE-9} != 37 && ${COMP_TYPE-9} != 42 ]]; then
    described=1
    for line in "${COMPREPLY[@]}"; do
      line=${line%%$'\t'*}
      if [[ ${#line} -gt $longest ]]; then longest=${#line}; fi
    done
  fi
  for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
    line=${COMPREPLY[i]}
    word=${line%%$'\t'*}
    if [[ -n $described && $line == *$'\t'* ]]; then
      printf -v word "%-${longest}s  (%s)" "$word" "${line#*$'\t'}"
    elif [[ -z $described && -z $quoted ]]; then
      printf -v word %q "$word"
    fi
    COMPREPLY[i]=${word#"$before"}
  done
}

complete -F _aws_switch_role_complete aws-switch-role
if [[ "$(declare -p PROMPT_COMMAND 2>/dev/null)" == 'declare -a'* ]]; then
  if [[ " ${PROMPT_COMMAND[*]-} " != *_aws_switch_role_hook* ]]; then PROMPT_COMMAND+=(_aws_switch_role_hook); fi
else
  case ${PROMPT_COMMAND-} in
    *_aws_switch_role_hook*) ;;
    '') PROMPT_COMMAND=_aws_switch_role_hook ;;
    *) PROMPT_COMMAND+=$'\n'_aws_switch_role_hook ;;
  esac
fi
if [[ -n ${_aws_switch_role_aliases-} ]]; then
  unset _aws_switch_role_aliases
  shopt -s expand_aliases
fi
