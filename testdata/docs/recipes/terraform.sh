mkdir -p accounts/prod-a accounts/prod-b
