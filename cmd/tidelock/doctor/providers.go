package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
)

// checkProviderStore looks at the providers on this machine as the file system
// tells; `tidelock providers verify` works their checksums out.
func checkProviderStore(_ context.Context, c *Clinic) Diagnosis {
	if c.config.DataDir == "" {
		return skip("data_dir is not set")
	}
	if c.problems.Of("terraform.provider_network_mirror") != nil {
		return skip("terraform.provider_network_mirror is not right, see configuration")
	}
	store, err := parts.Providers(c.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return fail("", "%s", errs.Explain(err))
	}
	const mend = "look closely with: tidelock providers verify. What was altered is fetched anew when a run wants it; the store is the server's alone, so find out who wrote there"
	all, err := store.List()
	if err != nil {
		return fail(mend, "the store can't be read: %v", err)
	}
	altered, err := store.Altered()
	if err != nil {
		return fail(mend, "the store can't be read: %v", err)
	}
	var names []string
	for _, p := range altered {
		names = append(names, fmt.Sprintf("%s %s", p.Provider, p.Version))
	}
	if len(names) > 0 {
		return warn(mend, "touched since they were verified: %s", strings.Join(names, ", "))
	}
	if len(all) == 0 {
		return ok("empty; a provider is fetched when the first run wants it")
	}
	size := int64(0)
	for _, p := range all {
		size += p.Size
	}
	return ok("%s, %s, untouched since they were verified", english.Plural(len(all), "package", ""), humanize.IBytes(uint64(size)))
}

// providerSources says where providers come from that no folder has.
func providerSources(c config.Config) string {
	t := c.Terraform
	switch {
	case t.Providers.NetworkMirror != "" && t.ProviderDirect:
		return "from " + t.Providers.NetworkMirror + ", else from their registries, each version once"
	case t.Providers.NetworkMirror != "":
		return "from " + t.Providers.NetworkMirror + ", each version once"
	}
	return "from their registries, each version once"
}

func checkProviders(_ context.Context, c *Clinic) Diagnosis {
	mirror := c.config.Terraform.ProviderMirror
	if mirror == "" {
		return ok("%s", providerSources(c.config))
	}
	providers, err := fs.Glob(os.DirFS(mirror), "*/*/*/*/*") // the folder's own name is no pattern
	if err != nil {
		return fail("", "terraform.provider_mirror %s: %v", mirror, err)
	}
	const mend = "fill it in the folder of a project with: terraform providers mirror (and unpack the archives), or correct terraform.provider_mirror"
	if _, err := os.ReadDir(mirror); err != nil {
		return fail(mend, "terraform.provider_mirror can't be read: %v", err)
	}
	if len(providers) == 0 {
		d := warn(mend, "%s holds no provider in the form HOST/NAMESPACE/TYPE/VERSION/OS_ARCH", mirror)
		if !c.config.Terraform.ProviderDirect && c.config.Terraform.Providers.NetworkMirror == "" {
			d.Health = Fail // nothing could be installed at all
		}
		return d
	}
	rest := "; others come " + providerSources(c.config)
	if !c.config.Terraform.ProviderDirect && c.config.Terraform.Providers.NetworkMirror == "" {
		rest = " and no others"
	}
	return ok("%d packages in %s%s", len(providers), mirror, rest)
}
