eval "$(printf '\n' | gnome-keyring-daemon --unlock --components=secrets)"
export AWS_SWITCH_ROLE_KEYRING=secret-service
# As envchain keeps them.
printf %s "$KEY_ID" | secret-tool store --label=aws-main.AWS_ACCESS_KEY_ID xdg:schema envchain.EnvironmentVariable name aws-main key AWS_ACCESS_KEY_ID
printf %s "$KEY" | secret-tool store --label=aws-main.AWS_SECRET_ACCESS_KEY xdg:schema envchain.EnvironmentVariable name aws-main key AWS_SECRET_ACCESS_KEY
