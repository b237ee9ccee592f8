package parts

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
)

// Policies returns what judges each project, as far as it can be known
// without a server: an admin repository is not asked.
func Policies(c config.Config) (*policyset.Sets, error) {
	o := PolicyOptions(c)
	o.Admin = policyset.Admin{}
	return policyset.New(o)
}

// PolicyOptions says what judges and where policies come from. Good copies are
// kept in a folder of the person's own.
func PolicyOptions(c config.Config) policyset.Options {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	tokens := secrets.New(c.Secrets, c.Environ())
	return policyset.Options{
		Overrides: bundledOptions(c).Overrides, Owners: policy.Owners{Who: c.Policy.Owners}, Disabled: c.Policy.Disabled,
		Config: c.Policies, Dir: filepath.Join(cache, "tidelock", "policies"),
		Admin:  policyset.Admin{Repo: c.Policy.AdminRepo, Ref: c.Policy.AdminRef, MayLoosen: c.Policy.AdminMayLoosen},
		Egress: egress.Options{Proxy: http.ProxyFromEnvironment},
		Token: func(ctx context.Context, name string, admin bool) (redact.Secret, error) {
			if !admin {
				return tokens.Own(ctx, name)
			}
			got, err := tokens.Get(ctx, secrets.Asker{Repo: c.Policy.AdminRepo}, secrets.PhasePlan, map[string]string{"token": name})
			return got["token"], err
		},
	}
}

// bundledOptions says how the policies are to judge where no scope says
// otherwise.
func bundledOptions(c config.Config) policy.Options {
	o := policy.Overrides{
		Levels:   map[string]policy.Level{},
		Settings: policy.Settings{"tagging": {"required": append([]string{}, c.Policy.RequiredTags...)}},
	}
	for rule, level := range c.Policy.Levels {
		o.Levels[rule] = policy.Level(level)
	}
	return policy.Options{Overrides: o}
}
