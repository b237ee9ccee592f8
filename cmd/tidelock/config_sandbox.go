package main

import (
	"fmt"
	"path/filepath"

	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/runner"
)

// sandbox is what runs are kept in.
func (c Config) sandbox() runner.Sandbox {
	t := c.Terraform
	s := runner.Sandbox{
		Mode: runner.Mode(t.Sandbox), Read: t.SandboxRead, Write: t.SandboxWrite, NoPlanNetwork: t.SandboxNetwork == "deny",
		Processes: t.MaxProcesses, Memory: int64(t.MemoryLimit) << 20, Disk: int64(t.DiskLimit) << 20, CPU: t.CPULimit,
	}
	if c.DataDir != "" {
		s.Read = append(providers.Folders(c.providerStore()), s.Read...)
	}
	if t.ProviderMirror != "" {
		s.Read = append([]string{t.ProviderMirror}, s.Read...)
	}
	return s
}

// secretFiles are the server's own files, which no run may read.
func (c Config) secretFiles() []string {
	var out []string
	for _, path := range []string{c.DataDir, c.EncryptionKeyFile, c.DatabaseFile, c.GitHub.PrivateKeyFile, c.GitHub.WebhookSecretFile, c.Web.PasswordFile} {
		if path != "" {
			out = append(out, path)
		}
	}
	for _, s := range c.Secrets {
		if s.File != "" {
			out = append(out, s.File)
		}
	}
	return out
}

// sandboxLacks returns what is less in the sandbox than it should be, a
// sentence each, on this machine with this configuration.
func (c Config) sandboxLacks(host runner.Host) []string {
	out := host.Lacks(c.sandbox())
	if path, by := c.sandbox().Exposes(c.secretFiles()...); path != "" {
		out = append(out, fmt.Sprintf("Runs can read %s, because they may read %s: move one of them.", path, by))
	}
	return out
}

func absolutePaths(get func(c *Config) []string) func(c *Config) string {
	return func(c *Config) string {
		for _, path := range get(c) {
			if !filepath.IsAbs(path) {
				return fmt.Sprintf("holds %q, which is not an absolute path.", path)
			}
		}
		return ""
	}
}
