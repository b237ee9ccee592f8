package config

import (
	"path/filepath"
	"strings"
)

// Tools says which versions of Terraform and OpenTofu there are beside
// the server's own, and whether more may be fetched.
type Tools struct {
	Tool                string   // terraform | tofu; "" is what the server's own is
	Dirs                []string // absolute paths of folders with installed versions
	Download            bool
	ReleasesURL         string // "" is HashiCorp's
	OpenTofuReleasesURL string // "" is OpenTofu's
}

// ToolsDir keeps what is downloaded; "" while there is no data folder.
func (c Config) ToolsDir() string {
	if c.DataDir == "" {
		return ""
	}
	return filepath.Join(c.DataDir, "tools")
}

// checkReleasesURL checks the address of a mirror.
func checkReleasesURL(get func(c *Config) string) func(c *Config) string {
	return func(c *Config) string {
		if problem := checkURL(get(c), "https://mirror.example.com/releases"); problem != "" {
			return problem
		}
		if !strings.HasPrefix(get(c), "https://") {
			return "must begin with https:// : nothing is fetched without TLS."
		}
		return ""
	}
}
