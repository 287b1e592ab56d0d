#compdef queuectl
# Completes queuectl in zsh: source <(queuectl completion zsh), or this as a file _queuectl in a folder of $fpath
#
# The program itself is asked, with the words up to the one that is being typed. Nothing that was typed or that comes from a
# queue is evaluated: pressing a key must not run what the id of a job says.
_queuectl() {
  local line text
  local -a texts shown
  while IFS= read -r line; do
    case "$line" in
      $'\tfiles')
        compset -P '--*='
        _files
        ;;
      $'\tdirectories')
        compset -P '--*='
        _files -/
        ;;
      *)
        text="${line%%$'\t'*}"
        texts+=("$text")
        shown+=("${line/$'\t'/  -- }")
        ;;
    esac
  done < <(queuectl __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)
  (( $#texts == 0 )) || compadd -l -d shown -a texts
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _queuectl "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _queuectl queuectl
fi
