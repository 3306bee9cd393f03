# Stands in for Homebrew, which Debian does not have:
#
#   ruby packaging/homebrew.rb FORMULA OS ARCH ARCHIVES PREFIX
#
# It takes the archive that the formula names for a system out of the directory
# ARCHIVES, holds it against the formula's hash, and has the formula install it.
require "digest"
require "fileutils"
require "pathname"
require "tmpdir"

FORMULA, SYSTEM, MACHINE, ARCHIVES, PREFIX = ARGV

class Pathname
  # install copies files; a hash gives them other names.
  def install(*files)
    mkpath
    files.flatten.each do |file|
      file.is_a?(Hash) ? file.each { |from, to| FileUtils.cp(from, self/to) } : FileUtils.cp(file, self)
    end
  end
end

class Formula
  class << self
    attr_reader :told

    %i[desc homepage version license url sha256].each do |field|
      define_method(field) { |value| (@told ||= {})[field] = value }
    end

    { on_macos: SYSTEM == "darwin", on_linux: SYSTEM == "linux", on_arm: MACHINE == "arm64", on_intel: MACHINE == "amd64" }.each do |where, here|
      define_method(where) { |&block| block.call if here }
    end

    def test; end
  end

  { bin: "bin", man1: "share/man/man1", bash_completion: "etc/bash_completion.d", zsh_completion: "share/zsh/site-functions",
    fish_completion: "share/fish/vendor_completions.d" }.each do |name, dir|
    define_method(name) { Pathname.new(PREFIX)/dir }
  end
end

load FORMULA
told = AwsSwitchRole.told
missing = %i[desc homepage version license url sha256].reject { |field| told[field] }
abort "the formula has no #{missing.join(", ")}" unless missing.empty?
archive = File.join(ARCHIVES, File.basename(told[:url]))
abort "the hash of #{archive} is not #{told[:sha256]}" unless Digest::SHA256.file(archive).hexdigest == told[:sha256]
abort "#{told[:url]} is not of #{told[:version]}" unless told[:url].include?("/v#{told[:version]}/")
Dir.mktmpdir do |dir|
  system("tar", "-xzf", archive, "-C", dir, "--strip-components=1", exception: true)
  Dir.chdir(dir) { AwsSwitchRole.new.install }
end
