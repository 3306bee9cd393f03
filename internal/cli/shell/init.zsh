# What `aws-switch-role init zsh` prints is this text as the argument of an
# `emulate zsh -c`: the functions have zsh's own options and no alias in them,
# whatever is set around them.

zmodload zsh/datetime 2>/dev/null || true # for EPOCHSECONDS

# refresh changes this very shell; all else is the program's.
function aws-switch-role {
  if [[ ${1-} != refresh || -n ${(M)@:#(-h|--help|--format|--format=*)} ]]; then
    command aws-switch-role "$@"
    return
  fi
  local code
  code=$(command aws-switch-role refresh --format env "${@:2}") || return
  eval "$code"
}

# Sets the caller's who, left and soon: the profile, what is left of its
# session, and 1 in the last five minutes. It starts no process.
function _aws_switch_role_state {
  who=${AWS_SWITCH_ROLE_PROFILE-} left= soon=
  who=${who//[[:cntrl:]]/}
  local t=${AWS_SESSION_EXPIRATION-}
  [[ -n $who && ${#t} == 20 && $t == <1970-9999>-<1-12>-<1-31>T<0-23>:<0-59>:<0-60>Z ]] || return 0
  local -i y=10#${t[1,4]} m=10#${t[6,7]} d=10#${t[9,10]} H=10#${t[12,13]} M=10#${t[15,16]} S=10#${t[18,19]}
  # The days since 1970 of a year that begins in March.
  if (( m < 3 )); then (( y -= 1, m += 12 )) || true; fi
  local -i days=$(( 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469 ))
  local -i s=$(( ((days * 24 + H) * 60 + M) * 60 + S - ${EPOCHSECONDS:-$(command date +%s)} ))
  if (( s < 300 )); then soon=1; fi
  if (( s <= 0 )); then
    left=ended
  elif (( s < 60 )); then
    left='<1m'
  else
    local -i h=$(( s / 3600 )) min=$(( s / 60 % 60 ))
    left=${${h:#0}:+${h}h}${${min:#0}:+${min}m}
  fi
}

# Prints the segment for a prompt, with %-sequences if $1 is on.
function _aws_switch_role_segment {
  local who left soon
  _aws_switch_role_state
  [[ -n $who ]] || return 0
  local text="($who${left:+ $left}) "
  if [[ ${1-} == on ]]; then
    text=${text//\%/%%}
    if [[ -z ${NO_COLOR-} ]]; then text="%F{${${soon:+red}:-yellow}}$text%f"; fi
  fi
  print -rn -- "$text"
}

# Before each prompt.
function _aws_switch_role_precmd {
  if (( $+functions[compdef] && ! $+_comps[aws-switch-role] )); then
    compdef _aws-switch-role aws-switch-role || true
  fi
  # A session that needs a code is renewed once.
  if [[ -n ${AWS_SWITCH_ROLE_SESSION-} && -e $AWS_SWITCH_ROLE_SESSION/needs-code ]]; then
    if [[ -z ${_aws_switch_role_asked-} ]]; then
      typeset -g _aws_switch_role_asked=1
      aws-switch-role refresh || true
    fi
  else
    typeset -g _aws_switch_role_asked=
  fi
  if [[ -n ${_aws_switch_role_draws-} ]]; then _aws_switch_role_draw; fi
  return 0
}

# Puts the segment in front of the prompt, by way of psvar: no prompt_subst is
# needed, and nothing runs while the prompt is drawn.
function _aws_switch_role_draw {
  local who left soon
  _aws_switch_role_state
  psvar[71]= psvar[72]= psvar[73]=
  if [[ -n $who ]]; then
    local -i i=72
    if [[ -n $soon ]]; then i=71; fi
    if [[ -n ${NO_COLOR-} ]]; then i=73; fi
    psvar[i]="($who${left:+ $left}) "
  fi
  if [[ ${PROMPT-} != *'%(71V.'* ]]; then
    PROMPT='%(71V.%F{red}%71v%f.)%(72V.%F{yellow}%72v%f.)%(73V.%73v.)'${PROMPT-}
  fi
}

function _aws-switch-role {
  setopt localoptions ${_comp_options[@]} # as the completion system wants them
  local -i dash=${words[(i)--]}
  if (( dash < CURRENT )); then # what stands behind is another command line
    words=("${(@)words[dash+1,-1]}")
    (( CURRENT -= dash ))
    _normal
    return
  fi
  local -a out described
  local line name tab=$'\t'
  out=("${(@f)$(command aws-switch-role __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  local -i directive=${${out[-1]-}#:}
  if (( directive & 1 )); then return 1; fi
  out[-1]=()
  if [[ $PREFIX == -*=* ]]; then compset -P '*='; fi
  if (( $#out > 200 )); then # nobody reads them, and none is described
    compadd -a out
    return
  fi
  for line in "${(@)out}"; do
    name=${${line%%$tab*}//:/\\:}
    if [[ $line == *$tab* ]]; then name+=:${line#*$tab}; fi
    described+=("$name")
  done
  local -a opts
  if (( directive & 2 )); then opts=(-S ''); fi
  if (( $#described )); then
    _describe -V 'aws-switch-role' described $opts
  elif (( ! (directive & 4) )); then
    _files
  fi
}

# One candidate a line: those with the same role in one line would be filled up
# with blanks that count as candidates, and zsh asks before it lists a hundred.
zstyle ':completion:*:*:aws-switch-role:*' list-grouped false || true

typeset -ga precmd_functions
if (( ! ${precmd_functions[(I)_aws_switch_role_precmd]} )); then
  precmd_functions+=(_aws_switch_role_precmd)
fi
if (( $+functions[compdef] )); then compdef _aws-switch-role aws-switch-role; fi
