# SPDX-License-Identifier: MIT
# fish completion of storyfi: the program itself says what fits (storyfi completion words).
function __storyfi_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l stem (string match -r -- '^-[^=]*=' $token)
    set -l rest (string replace -r -- '^-[^=]*=' '' $token)
    for line in ($words[1] completion words -- $words[2..-1] "$token" 2>/dev/null)
        switch $line
            case ':files'
                for path in (__fish_complete_path "$rest")
                    echo "$stem$path"
                end
            case ':dirs'
                for path in (__fish_complete_directories "$rest" '')
                    echo "$stem$path"
                end
            case '*'
                echo $line
        end
    end
end
complete -c storyfi -f -a '(__storyfi_complete)'
