#compdef storyfi
# SPDX-License-Identifier: MIT
# zsh completion of storyfi: the program itself says what fits (storyfi completion words).
_storyfi() {
    local line
    local -a candidates
    for line in "${(@f)$("${~words[1]}" completion words -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        case $line in
        '') ;;
        :files) compset -P '*='; _files; return ;;
        :dirs) compset -P '*='; _files -/; return ;;
        *) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    _describe -t values storyfi candidates
}
if [ "$funcstack[1]" = _storyfi ]; then
    _storyfi "$@"
else
    compdef _storyfi storyfi
fi
