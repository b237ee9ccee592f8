package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// appFiles are where `tidelock app create` writes, absolute.
type appFiles struct{ config, key, secret string }

// newAppFiles makes the folders and sees to it that the files can be written,
// before GitHub is asked for a key that it tells once.
func newAppFiles(dir string) (*appFiles, error) {
	dir, err := absDir(dir)
	if err != nil {
		return nil, err
	}
	f := &appFiles{
		config: filepath.Join(dir, "tidelock-server.hcl"),
		key:    filepath.Join(dir, "secrets", "github-app.pem"), secret: filepath.Join(dir, "secrets", "webhook.secret"),
	}
	for _, path := range []string{f.config, f.key, f.secret} {
		if _, err := os.Lstat(path); err == nil {
			return nil, errs.New(errs.Conflict, "%s is there already, and is not replaced. Move it away, or choose another folder with --dir.", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, errs.Wrap(errs.Invalid, err, "%s can't be written.", path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.key), 0o700); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder %s can't be made.", filepath.Dir(f.key))
	}
	for _, folder := range []string{dir, filepath.Dir(f.key)} {
		if err := parts.TryWriting(folder); err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The folder %s can't be written.", folder)
		}
	}
	return f, nil
}

// write writes all files, the key first: it is told once.
func (f *appFiles) write(r github.Registration, config []byte) error {
	return errors.Join(
		writeOnce(f.key, []byte(strings.TrimSpace(r.PEM.Reveal())+"\n"), 0o600),
		writeOnce(f.secret, []byte(r.WebhookSecret.Reveal()+"\n"), 0o600),
		writeOnce(f.config, config, 0o644),
	)
}

// writeOnce writes a file that is not there yet, and is there still after a
// crash.
func writeOnce(path string, text []byte, mode fs.FileMode) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return errors.Join(err, out.Sync(), out.Close())
}

// config is a configuration that the server starts with.
func (a *appCreate) config(r github.Registration, host github.Host) []byte {
	text := func(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Made by tidelock app create for the GitHub App %s. docs/configuration.md has
# every setting.

listen = "127.0.0.1:8080" # behind a proxy that speaks TLS
public_url = %s
data_dir = %s

github {
  app_id = %s
  private_key_file = "secrets/github-app.pem"
  webhook_secret_file = "secrets/webhook.secret"
`, strconv.Quote(r.Name), text(a.publicURL), text(a.dataDir), strconv.FormatInt(r.ID, 10))
	if standard, _ := github.ParseHost(""); host != standard {
		fmt.Fprintf(&b, "  api_url = %s\n", text(strings.TrimRight(host.REST, "/")))
	}
	b.WriteString("}\n")
	return hclwrite.Format(b.Bytes())
}
