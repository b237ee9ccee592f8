package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/planner"
)

func checkConfiguration(_ context.Context, c *Clinic) Diagnosis {
	from := c.file
	if from == "" {
		from = "the environment; no file was found"
	}
	err := c.problems.Err()
	var list []string
	for _, p := range c.problems {
		if (err != nil) != p.Warning {
			list = append(list, p.String())
		}
	}
	switch {
	case err != nil:
		return fail("mend what is listed; every setting is described in docs/configuration.md", "%s", strings.Join(list, "\n"))
	case len(list) > 0:
		return warn("the server starts all the same", "%s", strings.Join(list, "\n"))
	}
	return ok("read from %s", from)
}

func checkDataDir(_ context.Context, c *Clinic) Diagnosis {
	dir := c.config.DataDir
	if dir == "" {
		return fail("name a folder on a disk that is kept, such as /var/lib/tidelock", "data_dir is not set")
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		parent := existingParent(dir)
		if err := parts.TryWriting(parent); err != nil {
			return fail(mendFolder(dir), "%s does not exist and can't be made: %v", dir, err)
		}
		return ok("%s does not exist yet; the server makes it", dir)
	}
	if err != nil {
		return fail(mendFolder(dir), "%s can't be read: %v", dir, err)
	}
	if !info.IsDir() {
		return fail("set data_dir to a folder", "%s is not a folder", dir)
	}
	if err := parts.TryWriting(dir); err != nil {
		return fail(mendFolder(dir), "%s can't be written: %v", dir, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return warn("chmod 700 "+dir, "%s can be written, but others on this machine may look into it (mode %04o)", dir, mode)
	}
	return ok("%s can be written", dir)
}

func mendFolder(dir string) string {
	return fmt.Sprintf("give it to the server's user: install -d -m 700 -o USER %s", dir)
}

// existingParent returns the nearest folder above dir that exists.
func existingParent(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil || parent == dir {
			return parent
		}
		dir = parent
	}
}

// The free space below which the server can't be trusted with an apply, and
// below which it should be looked after.
const (
	diskFail = 512 << 20
	diskWarn = 4 << 30
)

func checkDisk(_ context.Context, c *Clinic) Diagnosis {
	dir := c.config.DataDir
	if dir == "" {
		return skip("data_dir is not set")
	}
	if _, err := os.Stat(dir); err != nil {
		dir = existingParent(dir)
	}
	free, err := c.freeSpace(dir)
	if err != nil {
		return fail("", "the free space of %s is unknown: %v", dir, err)
	}
	const mend = "every run needs a work tree, its providers and its plan; free some space or move data_dir to a larger disk"
	switch {
	case free < diskFail:
		return fail(mend, "only %s are free in %s; below %s no apply is safe", humanize.IBytes(free), dir, humanize.IBytes(diskFail))
	case free < diskWarn:
		return warn(mend, "%s are free in %s, less than %s", humanize.IBytes(free), dir, humanize.IBytes(diskWarn))
	}
	return ok("%s are free in %s", humanize.IBytes(free), dir)
}

func checkStoredKey(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("encryption_key", "encryption_key_file") != nil {
		return fail("make one with: openssl rand -base64 32", "the encryption key is not right, see configuration")
	}
	if !c.config.EncryptionKey.Empty() {
		return ok("from %s", config.EnvName("encryption_key"))
	}
	file := c.config.EncryptionKeyFile
	if file == "" {
		return skip("data_dir is not set")
	}
	_, err := config.ReadEncryptionKey(c.config)
	switch {
	case errors.Is(err, fs.ErrNotExist) && holdsFiles(c.config.BlobDir()):
		return fail("put the file back from its backup; a new key could not read the data", "%s is gone, but data was encrypted with it", file)
	case errors.Is(err, fs.ErrNotExist):
		return ok("%s does not exist yet; the server makes it", file)
	case err != nil:
		return fail("", "%s", errs.Explain(err))
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		return warn("chmod 600 "+file, "others on this machine may read %s (mode %04o)", file, info.Mode().Perm())
	}
	return ok("in %s; keep a copy of it apart from the database's backup", file)
}

func checkDatabaseHealth(ctx context.Context, c *Clinic) Diagnosis {
	dsn := c.config.Database
	if dsn.Empty() || c.problems.Of("database", "database_file") != nil {
		return skip("the database is not known, see configuration")
	}
	if !c.config.DatabaseExists() {
		return ok("%s does not exist yet; the server makes it", c.config.DatabaseShown())
	}
	have, want, err := c.databaseVersion(ctx, dsn.Reveal())
	shown := c.config.DatabaseShown()
	switch {
	case errs.Is(err, errs.Unavailable):
		return fail("is the database server running, and may this machine reach it?", "%s: %s", shown, errs.Explain(err))
	case err != nil:
		return fail("", "%s: %s", shown, errs.Explain(err))
	case have > want:
		return fail("start the newer Tidelock, or bring back a backup from before the upgrade",
			"%s has version %d, and this Tidelock knows versions up to %d: a newer one has used it", shown, have, want)
	case have < want:
		return warn("the server does it when it starts; to do it now: tidelock migrate", "%s has version %d and will be brought to %d", shown, have, want)
	}
	return ok("%s answers, is whole and has version %d", shown, have)
}

// openVersion opens the database, which checks it, and returns its version
// and the one that this binary wants.
func openVersion(ctx context.Context, dsn string) (have, want int64, err error) {
	d, err := db.Open(ctx, dsn)
	if err != nil {
		return 0, 0, err
	}
	have, want, err = d.Version(ctx)
	return have, want, errors.Join(err, d.Close())
}

func checkTerraform(ctx context.Context, c *Clinic) Diagnosis {
	path, version, err := c.terraform(ctx, c.config.Terraform.Binary)
	if err != nil && parts.DoesWithoutOwnTool(c.config, err) {
		return ok("neither is on PATH: each project gets one that is installed or downloaded, see tools")
	}
	if err != nil {
		return fail("install Terraform or OpenTofu on PATH, or set terraform.binary", "%s", errs.Explain(err))
	}
	var unset []string
	for _, name := range c.config.Terraform.Env {
		if _, set := c.lookupEnv(name); !set {
			unset = append(unset, name)
		}
	}
	if len(unset) > 0 {
		return warn("set them in the server's environment, or take them out of terraform.env",
			"%s at %s; terraform.env names variables that are not set: %s", version, path, strings.Join(unset, ", "))
	}
	return ok("%s at %s", version, path)
}

func checkProviders(_ context.Context, c *Clinic) Diagnosis {
	mirror := c.config.Terraform.ProviderMirror
	if mirror == "" {
		return ok("%s", providerSources(c.config))
	}
	providers, err := filepath.Glob(filepath.Join(mirror, "*", "*", "*", "*", "*"))
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

func checkWeb(_ context.Context, c *Clinic) Diagnosis {
	web := c.config.Web
	switch {
	case !web.Enabled:
		return ok("turned off by web.enabled")
	case c.problems.Of("listen", "web.password", "web.password_file") != nil:
		return skip("listen or the password is not right, see configuration")
	case web.Password.Empty() && c.config.PublicURL != "":
		return warn("set web.password_file, so that they ask for a password",
			"%s is known to people, but without a password the pages answer only this machine itself", c.config.PublicURL)
	case web.Password.Empty():
		return ok("the pages answer only this machine itself; with web.password_file they ask for a password")
	}
	return ok("the pages at %s ask for a password", c.config.Listen)
}

func checkGitHost(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("github.api_url") != nil {
		return skip("github.api_url is not right, see configuration")
	}
	host := gitHost(c.config.GitHub.APIURL)
	took, err := c.reach(ctx, host)
	if err != nil {
		return fail("the server must reach it on this port: look at the firewall, DNS and HTTPS_PROXY", "%s can't be reached: %v", host, err)
	}
	return ok("%s answered after %s", host, took.Round(time.Millisecond))
}

// appPaths are the settings without which GitHub can't be asked.
var appPaths = []string{"github.app_id", "github.private_key", "github.private_key_file", "github.api_url"}

func checkApp(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of(appPaths...) != nil {
		return fail("both come from the App's settings page: the App ID, and under Private keys the key", "the App's ID or key is missing or wrong, see configuration")
	}
	info, err := c.app(ctx)
	switch {
	case errs.Is(err, errs.Unavailable):
		return fail("look at the check git-host, and at https://www.githubstatus.com", "GitHub could not be asked. %s", errs.Explain(err))
	case err != nil:
		return fail("compare github.app_id with the App's settings page; if the key was deleted there, make a new one under Private keys. A clock that is off by more than a minute is refused too.",
			"GitHub does not accept App %d with this key. %s", c.config.GitHub.AppID, errs.Explain(err))
	}
	return ok("%s (App %d) is signed in; it writes as %s[bot]", info.Name, c.config.GitHub.AppID, info.Slug)
}

// levels orders GitHub's access levels.
var levels = map[string]int{"": 0, "none": 0, "read": 1, "write": 2, "admin": 3}

func checkPermissions(ctx context.Context, c *Clinic) Diagnosis {
	info, err := c.askApp(ctx)
	if err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	needs := github.Permissions(c.config.Defaults.AutoMerge || c.config.Drift.Remediate == planner.RemediatePull)
	var lacking, missed []string
	for _, n := range needs {
		have := info.Permissions[n.Name]
		if levels[have] >= levels[n.Level] {
			continue
		}
		if have == "" {
			have = "none"
		}
		line := fmt.Sprintf("%s: has %s, needs %s %s", n.Name, have, n.Level, n.Why)
		if n.Optional {
			missed = append(missed, line)
		} else {
			lacking = append(lacking, line)
		}
	}
	mend := "change them at " + appSettings(info, "permissions") + "\nand then accept the change in every organisation that has installed the App"
	switch {
	case len(lacking) > 0:
		return fail(mend, "the App lacks permissions:\n%s", strings.Join(append(lacking, missed...), "\n"))
	case len(missed) > 0:
		return warn(mend, "the App works, but not as well as it could:\n%s", strings.Join(missed, "\n"))
	}
	return ok("the App has all %d that it needs", len(needs))
}

func checkEvents(ctx context.Context, c *Clinic) Diagnosis {
	info, err := c.askApp(ctx)
	if err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	needs := github.Events()
	var lacking, missed []string
	for _, n := range needs {
		switch {
		case slices.Contains(info.Events, n.Name):
		case n.Optional:
			missed = append(missed, n.Name+" "+n.Why)
		default:
			lacking = append(lacking, n.Name)
		}
	}
	mend := "tick them under “Subscribe to events” at " + appSettings(info, "permissions")
	switch {
	case len(lacking) > 0:
		return fail(mend, "the App is not subscribed to %s", strings.Join(lacking, ", "))
	case len(missed) > 0:
		return warn(mend, "the App works, but it is not subscribed to:\n%s", strings.Join(missed, "\n"))
	}
	return ok("the App is subscribed to all %d events that it needs", len(needs))
}

// appSettings returns where the App's owner changes it. GitHub has two forms
// of the address, and its API does not tell a plain user's App from another.
func appSettings(info github.AppInfo, page string) string {
	host := "https://github.com"
	if u, err := url.Parse(info.HTMLURL); err == nil && u.Host != "" {
		host = u.Scheme + "://" + u.Host
	}
	return fmt.Sprintf("%s/settings/apps/%s/%s (of an organisation: %s/organizations/NAME/settings/apps/%s/%s)",
		host, info.Slug, page, host, info.Slug, page)
}

func checkSecret(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("github.webhook_secret", "github.webhook_secret_file") != nil {
		return fail("make one with openssl rand -hex 32; give it to the server and to the App's settings page", "the webhook secret is missing or wrong, see configuration")
	}
	return ok("set; the check deliveries shows whether GitHub has the same")
}

// deliverySpan is how far back doctor looks at GitHub's deliveries.
const deliverySpan = time.Hour

func checkDeliveries(ctx context.Context, c *Clinic) Diagnosis {
	if _, err := c.askApp(ctx); err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	all, err := c.deliveries(ctx, deliverySpan)
	if err != nil {
		return warn("", "GitHub did not list its deliveries. %s", errs.Explain(err))
	}
	lost := github.Lost(all)
	if len(all) == 0 {
		return ok("GitHub sent none within the last hour")
	}
	if len(lost) == 0 {
		return ok("all of the last hour's arrived")
	}
	const mend = "compare the Webhook URL on the App's settings page with where this server is reached. What was lost is fetched again once the server runs."
	newest := lost[0]
	switch newest.StatusCode {
	case 401, 403:
		return fail("the secret here and the one on the App's settings page differ: set the same on both sides", "webhooks are refused for their signature (status %d)", newest.StatusCode)
	case 0:
		return warn(mend, "%d of the last hour's webhooks did not reach the server: %s", len(lost), newest.Status)
	}
	return warn(mend, "%d of the last hour's webhooks were not accepted: %s (status %d)", len(lost), newest.Status, newest.StatusCode)
}

func holdsFiles(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}
