# Completes queuectl in bash: source <(queuectl completion bash)
#
# The program itself is asked, with the words up to the one that is being typed. Nothing that was typed or that comes from a
# queue is evaluated: pressing a key must not run what the id of a job says.
_queuectl() {
  local left="${COMP_LINE:0:COMP_POINT}" word= current= mine= before line text quoted kind i
  local -a words=()
  # What bash has split at = and : becomes one word again, of which it takes only the end ("mine") for the current one.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    text="${left#"${left%%[![:blank:]]*}"}"
    if ((i > 0)) && [[ "$text" != "$left" ]]; then
      words+=("$current")
      current=
    fi
    word="${COMP_WORDS[i]}"
    ((i < COMP_CWORD)) || word="$text"
    left="${text#"$word"}"
    current+="$word"
  done
  [[ "$word" != *[!=:]* ]] || mine="$word"
  before="${current%"$mine"}"
  words+=("$current")
  words=("${words[@]:1}")
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      $'\tfiles' | $'\tdirectories')
        kind=-f
        [[ "$line" == $'\tfiles' ]] || kind=-d
        compopt -o filenames 2> /dev/null
        while IFS= read -r text; do COMPREPLY+=("$text"); done < <(compgen "$kind" -- "$mine")
        ;;
      *)
        text="${line%%$'\t'*}"
        text="${text#"$before"}"
        printf -v quoted %q "$text"
        if [[ "$mine" != [\'\"]* ]]; then
          COMPREPLY+=("$quoted")
        elif [[ "$text" != *[\\\$\!\'\"\`]* ]]; then
          # A quote is open, and in either kind of it this means itself.
          COMPREPLY+=("$text")
        fi
        ;;
    esac
  done < <(queuectl __complete "${words[@]//[\\\"\']/}" 2> /dev/null)
}
complete -F _queuectl queuectl
