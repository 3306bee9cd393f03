eval "$(printf '\n' | gnome-keyring-daemon --unlock --components=secrets)"
export AWS_SWITCH_ROLE_KEYRING=secret-service
# As aws-vault keeps it.
vault main
