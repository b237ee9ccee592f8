package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/internal/providers"
)

// ProvidersConfig says which providers projects may use, where they come from
// besides a folder and the registries, and how long they are kept.
type ProvidersConfig struct {
	Allow         []string // patterns; none is all
	NetworkMirror string   // URL; "" is none
	MaxAge        time.Duration
	MaxSize       int // MiB
}

var defaultProviders = ProvidersConfig{MaxAge: 90 * 24 * time.Hour, MaxSize: 20 << 10}

// providerStore is where unpacked providers are kept.
func (c Config) providerStore() string { return filepath.Join(c.DataDir, "providers") }

// providers returns what the store of providers works with.
func (c Config) providers(log *slog.Logger) (*providers.Store, error) {
	t := c.Terraform
	allow, _ := allowPatterns(t.Providers.Allow) // checked when the configuration was read
	return providers.Open(providers.Options{
		Dir: c.providerStore(), Mirror: t.ProviderMirror, NetworkMirror: t.Providers.NetworkMirror, Direct: t.ProviderDirect,
		Allow: allow, Proxy: http.ProxyFromEnvironment, Log: log,
	})
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

// providerSources says where providers come from that no folder has.
func (c Config) providerSources() string {
	t := c.Terraform
	switch {
	case t.Providers.NetworkMirror != "" && t.ProviderDirect:
		return "from " + t.Providers.NetworkMirror + ", else from their registries, each version once"
	case t.Providers.NetworkMirror != "":
		return "from " + t.Providers.NetworkMirror + ", each version once"
	}
	return "from their registries, each version once"
}
