package parts

import (
	"fmt"
	"runtime"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/runner"
)

// Parallel is how many plans are made at once. Of the processor's cores those
// count that this process may use, in a container too.
func Parallel(c config.Terraform) int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// RunLimits is what runs may take of this machine, as it is now. Applies have
// cores of their own, so that plans never keep them waiting for one.
func RunLimits(c config.Terraform) capacity.Limits {
	l := capacity.Limits{Memory: int64(c.Memory) << 20, Plans: Parallel(c), Applies: max(2, Parallel(c))}
	if l.Memory == 0 {
		l.Memory = capacity.Memory()
	}
	return l
}

// Sandbox is what runs are kept in.
func Sandbox(c config.Config) runner.Sandbox {
	t := c.Terraform
	s := runner.Sandbox{
		Mode: runner.Mode(t.Sandbox), Read: t.SandboxRead, Write: t.SandboxWrite, NoPlanNetwork: t.SandboxNetwork == "deny",
		Processes: t.MaxProcesses, Memory: int64(t.MemoryLimit) << 20, Disk: int64(t.DiskLimit) << 20, CPU: t.CPULimit,
	}
	if c.DataDir != "" {
		s.Read = append(providers.Folders(c.ProviderDir()), s.Read...)
	}
	if t.ProviderMirror != "" {
		s.Read = append([]string{t.ProviderMirror}, s.Read...)
	}
	return s
}

// secretFiles are the server's own files, which no run may read.
func secretFiles(c config.Config) []string {
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

// SandboxLacks returns what is less in the sandbox than it should be, a
// sentence each, on this machine with this configuration.
func SandboxLacks(c config.Config, host runner.Host) []string {
	out := host.Lacks(Sandbox(c))
	if path, by := Sandbox(c).Exposes(secretFiles(c)...); path != "" {
		out = append(out, fmt.Sprintf("Runs can read %s, because they may read %s: move one of them.", path, by))
	}
	return out
}
