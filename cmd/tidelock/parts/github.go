package parts

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// Repository finds a repository, by its name "owner/name", among those that the
// App is installed on, and its default branch. Where there is none it is
// errs.NotFound, in a sentence about policy.admin_repo.
func Repository(ctx context.Context, app *github.App, name string) (checkout.Source, string, error) {
	installations, err := app.Installations(ctx)
	if err != nil {
		return checkout.Source{}, "", err
	}
	for _, in := range installations {
		gh := app.Installation(in.ID)
		repos, err := gh.Repos(ctx)
		if err != nil {
			return checkout.Source{}, "", err
		}
		for _, r := range repos {
			if strings.EqualFold(r.FullName(), name) {
				return checkout.Source{RepoID: r.ID, URL: r.CloneURL, Auth: gh.GitAuth(r.ID)}, r.DefaultBranch, nil
			}
		}
	}
	return checkout.Source{}, "", errs.New(errs.NotFound, "The App is not installed on policy.admin_repo %s.", name)
}
