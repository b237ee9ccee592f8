package parts

import (
	"log/slog"
	"net/http"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/providers"
)

// Providers returns what the store of providers works with.
func Providers(c config.Config, log *slog.Logger) (*providers.Store, error) {
	t := c.Terraform
	return providers.Open(providers.Options{
		Dir: c.ProviderDir(), Mirror: t.ProviderMirror, NetworkMirror: t.Providers.NetworkMirror, Direct: t.ProviderDirect,
		Allow: t.Providers.Patterns(), Proxy: http.ProxyFromEnvironment, Log: log,
	})
}
