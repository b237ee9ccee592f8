package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// newAppCommand returns `tidelock app`.
func newAppCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "app",
		Short:   "Set up the GitHub App that the server works as",
		Long:    "Sets up the GitHub App that the server works as: its permissions, its webhook, its key.",
		Example: "  tidelock app create --org acme --public-url https://tidelock.example.com",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newAppCreateCommand(p))
	return cmd
}

// appCreate is one run of `tidelock app create`.
type appCreate struct {
	name, org, publicURL string
	githubURL            string
	dir, dataDir         string
	page, code           string
	port                 int
	timeout              time.Duration
	public, readOnly     bool
	asJSON               bool
}

// created is the answer of `tidelock app create --json`. It holds no secret.
type created struct {
	ID         int64             `json:"app_id"`
	Name       string            `json:"name"`
	Slug       string            `json:"slug"`
	URL        string            `json:"url"`
	InstallURL string            `json:"install_url"`
	Settings   string            `json:"settings_url"`
	ClientID   string            `json:"client_id"`
	Files      map[string]string `json:"files"` // what it is: absolute path
	Next       []string          `json:"next"`
}

// newAppCreateCommand returns `tidelock app create`.
func newAppCreateCommand(p *program) *cobra.Command {
	var a appCreate
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Register the GitHub App, with its permissions, webhook and key",
		Long: "Registers the GitHub App with the permissions, events and webhook that Tidelock needs, so that nobody ticks them\n" +
			"by hand. It prints the address of a page on this machine: open it in a browser that is signed in to GitHub, go on\n" +
			"from there and press GitHub's button. Then it writes into --dir:\n\n" +
			"  tidelock-server.hcl       a configuration to start from\n" +
			"  secrets/github-app.pem    the App's private key\n" +
			"  secrets/webhook.secret    what GitHub signs webhooks with\n\n" +
			"Files that are there already are never replaced: then nothing is registered. No other server is told anything.\n\n" +
			"Where the browser is on another machine, forward the port (ssh -L PORT:127.0.0.1:PORT, with --port PORT). Or write\n" +
			"the page to a file with --page, open that anywhere, and give the code from the address that GitHub leads to\n" +
			"to a second call with --code. A code works once and within an hour.",
		Example: "  tidelock app create --org acme --public-url https://tidelock.example.com\n" +
			"  tidelock app create --public-url https://tidelock.example.com --github-url https://github.example.com\n" +
			"  tidelock app create --public-url https://tidelock.example.com --page app.html\n" +
			"  tidelock app create --public-url https://tidelock.example.com --code 4ac1b5…",
		Args: func(cmd *cobra.Command, args []string) error {
			if a.page != "" && a.code != "" {
				return errs.New(errs.Invalid, "--page begins and --code ends: give one of them.")
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := a.run(cmd.Context(), p)
			if err != nil || done == nil {
				return err
			}
			if a.asJSON {
				return writeJSON(p.stdout, done)
			}
			return done.write(p.stdout)
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.publicURL, "public-url", "", "where GitHub and people reach the server, such as https://tidelock.example.com (required)")
	f.StringVar(&a.org, "org", "", "the organisation that shall own the App; else it is yours")
	f.StringVar(&a.name, "name", "", "the App's name, unique at GitHub, at most 34 characters; else made of --org")
	f.StringVar(&a.githubURL, "github-url", "", "a GitHub Enterprise Server, such as https://github.example.com; else github.com")
	f.StringVar(&a.dir, "dir", ".", "folder to write the files into")
	f.StringVar(&a.dataDir, "data-dir", "/var/lib/tidelock", "the server's data_dir, as the configuration shall name it")
	f.BoolVar(&a.public, "installable-by-others", false, "let accounts other than the owner install the App: for clients with organisations of their own")
	f.BoolVar(&a.readOnly, "without-merging", false, "don't ask to write contents: auto-merge, rollback and deleting branches then don't work")
	f.IntVar(&a.port, "port", 0, "port of the page on this machine; else a free one")
	f.DurationVar(&a.timeout, "timeout", 30*time.Minute, "how long to wait for the browser")
	f.StringVar(&a.page, "page", "", "write the page to this file and end, for a browser elsewhere")
	f.StringVar(&a.code, "code", "", "the code that GitHub gave a browser elsewhere")
	f.BoolVar(&a.asJSON, "json", false, "print what was made as JSON, and the rest to standard error")
	for _, err := range []error{cmd.MarkFlagRequired("public-url"), cmd.MarkFlagDirname("dir"), cmd.MarkFlagFilename("page", "html")} {
		if err != nil {
			panic(err) // the flags stand a few lines above
		}
	}
	for _, free := range []string{"public-url", "org", "name", "github-url", "data-dir", "port", "timeout", "code"} {
		if err := cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions); err != nil {
			panic(err)
		}
	}
	return cmd
}

// run returns what was made, nil where only the page was written.
func (a *appCreate) run(ctx context.Context, p *program) (*created, error) {
	host, err := github.ParseHost(a.githubURL)
	if err != nil {
		return nil, err
	}
	a.publicURL = strings.TrimRight(a.publicURL, "/")
	if a.name == "" {
		a.name = a.defaultName()
	}
	told := p.stdout
	if a.asJSON {
		told = p.stderr
	}
	manifest := func(redirect string) ([]byte, error) {
		return github.Manifest(github.ManifestOptions{Name: a.name, PublicURL: a.publicURL, Redirect: redirect, Merging: !a.readOnly, Public: a.public})
	}
	if _, err := manifest(""); err != nil { // before anything is written or asked
		return nil, err
	}
	if a.page != "" {
		return nil, a.writePage(told, host, manifest)
	}
	files, err := newAppFiles(a.dir)
	if err != nil {
		return nil, err
	}
	convert := func(ctx context.Context, code string) (*created, error) {
		r, err := github.Convert(ctx, a.githubURL, code, nil)
		if err != nil {
			return nil, err
		}
		if err := files.write(r, a.config(r, host)); err != nil {
			return nil, errs.Wrap(errs.Conflict, err, "The App %s is registered at %s, but its files could not be written. Generate another key and webhook secret there.", r.Name, r.SettingURL)
		}
		return a.created(r, files), nil
	}
	if a.code != "" {
		return convert(ctx, strings.TrimSpace(a.code))
	}
	return a.listen(ctx, told, host, manifest, convert)
}

// defaultName is unique enough at a GitHub where everybody's Apps share their
// names.
func (a *appCreate) defaultName() string {
	if a.org == "" {
		return "Tidelock " + randomHex(3)
	}
	name := []rune("Tidelock " + a.org)
	return string(name[:min(len(name), github.MaxAppName)])
}

func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// elsewhere is where a browser on another machine is sent: nowhere, but its
// address bar then shows the code.
const elsewhere = "http://127.0.0.1:1/tidelock-app-created"

// writePage writes the page for a browser elsewhere. Its state is checked by
// nobody: whoever pastes the code has seen where it came from.
func (a *appCreate) writePage(w io.Writer, host github.Host, manifest func(string) ([]byte, error)) error {
	raw, err := manifest(elsewhere)
	if err != nil {
		return err
	}
	page, err := a.startPage(host, raw, randomHex(32))
	if err != nil {
		return err
	}
	out, err := os.OpenFile(a.page, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errs.Wrap(errs.Conflict, err, "The page could not be written to %s.", a.page)
	}
	_, err = out.Write(page)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	again := "tidelock app create --public-url " + a.publicURL
	if a.githubURL != "" {
		again += " --github-url " + a.githubURL
	}
	_, err = fmt.Fprintf(w, `Wrote the page to %s.

  1. Open it in any browser that is signed in to %s, and press the button there and GitHub's.
  2. GitHub then leads to a page that does not open. Its address has the code: what stands between "code=" and "&".
  3. Within an hour, on the server: %s --code CODE
`, a.page, host.Web, again)
	return err
}

func (a *appCreate) created(r github.Registration, f *appFiles) *created {
	return &created{
		ID: r.ID, Name: r.Name, Slug: r.Slug, URL: r.HTMLURL, InstallURL: r.InstallURL, Settings: r.SettingURL, ClientID: r.ClientID,
		Files: map[string]string{"config": f.config, "private_key": f.key, "webhook_secret": f.secret},
		Next: []string{
			"Install the App on the repositories that it shall look after: " + r.InstallURL,
			"Read " + f.config + " and give the files to the server's user.",
			"Check everything: tidelock doctor --config " + f.config,
			"Start the server, so that " + a.publicURL + "/webhook answers: tidelock serve --config " + f.config,
		},
	}
}

func (c *created) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Registered the GitHub App %s (ID %d) and wrote:\n", c.Name, c.ID)
	for _, what := range []string{"config", "private_key", "webhook_secret"} {
		fmt.Fprintf(&b, "  %s\n", c.Files[what])
	}
	b.WriteString("\nNext:\n")
	for n, step := range c.Next {
		fmt.Fprintf(&b, "  %d. %s\n", n+1, step)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// absDir is dir as it is told to people, who may be elsewhere by then.
func absDir(dir string) (string, error) {
	if dir == "" {
		return "", errs.New(errs.Invalid, "The folder's name is empty; leave --dir out to mean the working directory.")
	}
	return filepath.Abs(dir)
}
