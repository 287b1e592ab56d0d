# Completes queuectl in fish: queuectl completion fish | source
#
# The program itself is asked, with the words up to the one that is being typed. Nothing that was typed or that comes from a
# queue is evaluated: pressing a key must not run what the id of a job says.
function __queuectl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    set -l before (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -- "$before" '' "$current")
    for line in (queuectl __complete $words[2..] "$current" 2> /dev/null)
        switch $line
            case \tfiles
                printf '%s\n' "$before"(__fish_complete_path "$path")
            case \tdirectories
                printf '%s\n' "$before"(__fish_complete_directories "$path")
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c queuectl -f -a '(__queuectl_complete)'
