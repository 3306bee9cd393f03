# What a developer types. `make test` is what CI runs.

.PHONY: build test fuzz release-check tools vet cross bench packages package-check wine-check

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o aws-switch-role .

test: tools vet cross fuzz
	go test -race -timeout 18m ./...
	packaging/wine
	@if [ "$$(id -u)" = 0 ] || [ -n "$$CI" ]; then $(MAKE) --no-print-directory package-check; else echo "packages: not checked, that takes root: sudo make package-check"; fi

# How long each fuzz test runs, as many at a time as there are cores.
FUZZ = 20s

fuzz:
	go run ./hardening -fuzz $(FUZZ)

# What a release must withstand: the same tests, with more of everything, which
# takes a day and more, most of it the fuzz tests. What was found is written
# into doc/security.md. ONLY='herd|forgery' runs some of it, FUZZ_TIME=1m
# shortens that, and AT=commit does as much as a commit must withstand.
FUZZ_TIME = 8h
ONLY =
AT = release

release-check: tools vet cross
	go run ./hardening -fuzz-time $(FUZZ_TIME) -only '$(ONLY)' $(if $(filter commit,$(AT)),-commit)

# Every archive and package, in dist/.
packages:
	@for t in dpkg-deb rpmbuild zip; do command -v $$t >/dev/null || { echo "this takes $$t"; exit 1; }; done
	packaging/build dist

package-check: tools
	packaging/check

# The Windows build, run in wine.
wine-check: tools
	packaging/wine

vet:
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...

# Everything but Linux on amd64 is compiled and vetted here, with the packages'
# flags, so that these need not compile it again.
cross: export GOFLAGS = -trimpath
cross: export CGO_ENABLED = 0
cross:
	GOOS=darwin GOARCH=arm64 go vet ./...
	GOOS=windows GOARCH=amd64 go vet ./...
	GOOS=linux GOARCH=arm64 go build -o /dev/null .
	GOOS=darwin GOARCH=amd64 go build -o /dev/null .
	GOOS=darwin GOARCH=arm64 go build -o /dev/null .
	GOOS=windows GOARCH=amd64 go build -o /dev/null .

# The end-to-end tests drive real programs. On Debian, as root, they are
# installed; elsewhere the target says what to install. Version 1 of the AWS CLI
# will not do: version 2 alone signs in to IAM Identity Center.
TOOLS = dash:dash zsh:zsh fish:fish bash:bash tmux:tmux strace:strace ps:procps setpriv:util-linux node:nodejs npm:npm python3:python3 \
	dbus-daemon:dbus-daemon dbus-monitor:dbus-bin gnome-keyring-daemon:gnome-keyring chromium:chromium secret-tool:libsecret-tools pass:pass gpg:gnupg \
	keepassxc:keepassxc gdb:gdb rpmbuild:rpm zip:zip debootstrap:debootstrap mandoc:mandoc direnv:direnv \
	unzip:unzip file:file ruby:ruby nix-instantiate:nix-bin makepkg:makepkg bsdtar:libarchive-tools fakeroot:fakeroot \
	x86_64-w64-mingw32-ld:binutils-mingw-w64-x86-64 qemu-aarch64:qemu-user jq:jq
# Programs without a command of their own, by a file of theirs.
FILES = /usr/lib/wine/wine64:wine64 /usr/share/bash-completion/bash_completion:bash-completion /usr/share/powerlevel9k/powerlevel9k.zsh-theme:zsh-theme-powerlevel9k
NODE_PACKAGES = @aws-sdk/client-sts@3.1173.0 spaceship-prompt@4.22.5 pure-prompt@1.28.3 tree-sitter-powershell@0.26.4 web-tree-sitter@0.27.1

# The AWS CLI that this program is compared with, whichever others there are:
# CDK's layer for Lambda, a package of npm, has the whole of it in Python.
AWS_LAYER = @aws-cdk/asset-awscli-v1@2.2.296
AWS_CLI = 1.46.2

tools:
	@missing=; for t in $(TOOLS); do command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
	for f in $(FILES); do test -e $${f%%:*} || missing="$$missing $${f##*:}"; done; \
	( IFS=:; for d in $$PATH; do "$$d/aws" --version; done ) 2>/dev/null | grep -q '^aws-cli/2\.' || missing="$$missing awscli"; \
	python3 -c 'import boto3' 2>/dev/null || /usr/bin/python3 -c 'import boto3' 2>/dev/null || missing="$$missing python3-boto3"; \
	python3 -c 'import cryptography' 2>/dev/null || /usr/bin/python3 -c 'import cryptography' 2>/dev/null || missing="$$missing python3-cryptography"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing"; apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing >/dev/null; \
	else \
		echo "the tests need these packages, which are not here:$$missing"; exit 1; \
	fi
	@for p in $(NODE_PACKAGES); do test -d .cache/node/node_modules/$${p%@*} || { npm install --silent --no-audit --no-fund --ignore-scripts --prefix .cache/node $(NODE_PACKAGES); break; }; done
	@grep -qs "'$(AWS_CLI)'" .cache/awscli/awscli/awscli/__init__.py || { \
		npm install --silent --no-audit --no-fund --prefix .cache/node $(AWS_LAYER) && rm -rf .cache/awscli && \
		python3 -m zipfile -e .cache/node/node_modules/@aws-cdk/asset-awscli-v1/lib/layer.zip .cache/awscli && \
		python3 -m compileall -q .cache/awscli/awscli/awscli .cache/awscli/awscli/urllib3 .cache/awscli/awscli/yaml && \
		grep -q "'$(AWS_CLI)'" .cache/awscli/awscli/awscli/__init__.py || { echo "$(AWS_LAYER) of npm has no AWS CLI $(AWS_CLI) in it, which the tests need in .cache/awscli"; exit 1; }; }
	@testdata/starship .cache/starship
	@mkdir -p .cache && cd testdata/gosdk && go build -o ../../.cache/gosdk .

bench:
	go run ./bench
