package config

import (
	"net/url"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/internal/providers"
)

// Providers says which providers projects may use, where they come from
// besides a folder and the registries, and how long they are kept.
type Providers struct {
	Allow         []string // patterns; none is all
	NetworkMirror string   // URL; "" is none
	MaxAge        time.Duration
	MaxSize       int // MiB
}

var defaultProviders = Providers{MaxAge: 90 * 24 * time.Hour, MaxSize: 20 << 10}

// ProviderDir is where unpacked providers are kept.
func (c Config) ProviderDir() string { return filepath.Join(c.DataDir, "providers") }

// Patterns are those of Allow, which were checked when they were read.
func (c Providers) Patterns() []providers.Pattern {
	all, _ := allowPatterns(c.Allow)
	return all
}

func allowPatterns(texts []string) (out []providers.Pattern, problem string) {
	for _, text := range texts {
		p, err := providers.ParsePattern(text)
		if err != nil {
			return nil, "holds a pattern that is none: " + err.Error() + "."
		}
		out = append(out, p)
	}
	return out, ""
}

func checkProviderAllow(c *Config) string {
	_, problem := allowPatterns(c.Terraform.Providers.Allow)
	return problem
}

func checkNetworkMirror(c *Config) string {
	const example = "https://mirror.example.com/providers/"
	text := c.Terraform.Providers.NetworkMirror
	if problem := checkURL(text, example); problem != "" {
		return problem
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" {
		return "must begin with https://: both tools ask for that."
	}
	return ""
}
