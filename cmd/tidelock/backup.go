package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
)

// backupJSON is what is said of a backup.
type backupJSON struct {
	File     string           `json:"file"`
	Made     time.Time        `json:"made"`
	Tidelock string           `json:"tidelock"`
	Database db.Dialect       `json:"database"`
	Version  int64            `json:"version"`
	Keys     []string         `json:"keys"`
	Size     int64            `json:"size"`
	Rows     int64            `json:"rows"`
	Tables   map[string]int64 `json:"tables"`
	Blobs    int64            `json:"blobs"`
	Missing  []string         `json:"missing"` // blobs that rows name and that were not there
	Events   int64            `json:"events"`
}

func viewBackup(file string, h backup.Head, m backup.Manifest) backupJSON {
	v := backupJSON{File: file, Made: h.Made, Tidelock: h.Tidelock, Database: h.Dialect, Version: h.Schema,
		Rows: m.Rows(), Tables: m.Tables, Blobs: m.Blobs, Missing: m.Missing, Events: m.Audit.Seq}
	for _, k := range h.Keys {
		v.Keys = append(v.Keys, k.Key)
	}
	if v.Missing == nil {
		v.Missing = []string{}
	}
	if info, err := os.Stat(file); err == nil {
		v.Size = info.Size()
	}
	return v
}

func (v backupJSON) sentence() string {
	s := fmt.Sprintf("%s is whole: %s, made %s, %s rows, %d stored files, the audit trail up to event %d.", v.File, humanize.IBytes(uint64(v.Size)),
		v.Made.UTC().Format("2006-01-02 15:04:05 MST"), humanize.Comma(v.Rows), v.Blobs, v.Events)
	if n := len(v.Missing); n > 0 {
		s += fmt.Sprintf(" %d stored files that rows name were not there any more; --json lists them.", n)
	}
	return s
}

// newBackupCommand returns `tidelock backup` with its subcommand.
func newBackupCommand(p *program) *cobra.Command {
	var out string
	var recipients []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Write everything into one encrypted file, while the server runs",
		Long: "Writes the database and all plans, logs and states that it names into one file, as of one moment; the server may\n" +
			"run meanwhile. The file is encrypted with the key that wraps states, and for those recipients of age that you\n" +
			"name; it holds no key: keep the encryption key elsewhere. Once it is written it is read back and checked.",
		Example: "  tidelock backup --out /backup/tidelock-$(date +%F).tlb\n" +
			"  tidelock backup --out tidelock.tlb --recipient age1…\n" +
			"  tidelock backup verify tidelock.tlb",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if out == "" {
				return errs.New(errs.Invalid, "Name the file with --out.")
			}
			v, err := p.openStates(ctx, true)
			if err != nil {
				return err
			}
			defer v.close()
			key, err := config.FindEncryptionKey(v.config)
			if err != nil {
				return err
			}
			ring, err := parts.Keyring(v.config, key)
			if err != nil {
				return err
			}
			s := backup.Source{DB: v.db, Blobs: v.blobs, Keys: ring, Temp: v.config.DataDir, Version: buildVersion().Version, Progress: p.progress()}
			for _, r := range recipients {
				k, err := keyring.NewRecipient(r)
				if err != nil {
					return err
				}
				s.Recipients = append(s.Recipients, k)
			}
			h, m, err := noteBackup(ctx, out, s, v.who.Actor)
			if err != nil {
				return err
			}
			return p.tellBackup(out, h, m, asJSON)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file, which must not exist")
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "an age recipient who can open it too (can be repeated)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what is in it as JSON")
	complete(cmd, "recipient", cobra.NoFileCompletions)
	cmd.AddCommand(newBackupVerifyCommand(p))
	return cmd
}

func (p *program) tellBackup(file string, h backup.Head, m backup.Manifest, asJSON bool) error {
	v := viewBackup(file, h, m)
	if asJSON {
		return writeJSON(p.stdout, v)
	}
	_, err := fmt.Fprintln(p.stdout, v.sentence())
	return err
}

// progress tells on standard error how far it is, once a second at most.
func (p *program) progress() func(backup.Progress) {
	var last time.Time
	return func(g backup.Progress) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(p.stderr, "%s: %d stored files, %s\n", g.Part, g.Blobs, humanize.IBytes(uint64(g.Bytes)))
	}
}

// noteBackup is writeBackup, and notes how it ended: the audit trail and the
// figures tell of the last one.
func noteBackup(ctx context.Context, out string, s backup.Source, actor access.Actor) (h backup.Head, m backup.Manifest, err error) {
	attempt, err := backup.Begin(ctx, s.DB, actor)
	if err != nil {
		return h, m, err
	}
	h, m, err = writeBackup(ctx, out, s)
	size := int64(0)
	if info, serr := os.Stat(out); err == nil && serr == nil {
		size = info.Size()
	}
	return h, m, errors.Join(err, attempt.End(context.WithoutCancel(ctx), s.DB, size, m, err))
}

// writeBackup writes the file under another name, reads it back, and gives it
// its name only then.
func writeBackup(ctx context.Context, out string, s backup.Source) (h backup.Head, m backup.Manifest, err error) {
	if _, err := os.Lstat(out); err == nil {
		return h, m, errs.New(errs.Conflict, "There is a file %s already, and it is not overwritten.", out)
	}
	half := out + ".unfinished"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return h, m, errs.Wrap(errs.Invalid, err, "The file %s can't be written: %v.", out, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(half)
		}
	}()
	defer f.Close()
	if _, _, err := backup.Write(ctx, f, s); err != nil {
		return h, m, err
	}
	if err := f.Sync(); err != nil {
		return h, m, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return h, m, err
	}
	if h, m, err = backup.Verify(ctx, f, s.Keys, s.Temp); err != nil {
		return h, m, fmt.Errorf("what was written does not read back: %w", err)
	}
	if err := os.Rename(half, out); err != nil {
		return h, m, err
	}
	dir, err := os.Open(filepath.Dir(out))
	if err != nil {
		return h, m, err
	}
	return h, m, errors.Join(dir.Sync(), dir.Close())
}

func newBackupVerifyCommand(p *program) *cobra.Command {
	var identity string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Read a backup to its end and check all of it",
		Long: "Decrypts the whole file, opens the database that is in it in a temporary folder, counts its rows, walks its audit\n" +
			"trail and sees that every stored file that it names is there. It changes nothing. The key is the server's, or with\n" +
			"--identity that of one of the backup's recipients.",
		Example: "  tidelock backup verify tidelock.tlb\n  tidelock backup verify tidelock.tlb --identity age.key --json",
		Args:    oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			ring, err := p.backupKeys(identity)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return errs.Wrap(errs.NotFound, err, "The file %s can't be read: %v.", args[0], err)
			}
			defer f.Close()
			h, m, err := backup.Verify(cmd.Context(), f, ring, "")
			if err != nil {
				return err
			}
			return p.tellBackup(args[0], h, m, asJSON)
		},
	}
	cmd.Flags().StringVar(&identity, "identity", "", "file with the age identity of a recipient")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what is in it as JSON")
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errs.New(errs.Invalid, "%s takes one file.", cmd.CommandPath())
	}
	return nil
}

// backupKeys are the keys that may open a backup: the identity's, and the
// server's where there are any.
func (p *program) backupKeys(identity string) (*keyring.Ring, error) {
	if identity == "" {
		l := config.Read(p.configPath, p.environ, config.NeedDatabase)
		if err := l.Problems.Err(); err != nil {
			return nil, err
		}
		key, err := config.FindEncryptionKey(l.Config)
		if err != nil {
			return nil, err
		}
		return parts.Keyring(l.Config, key)
	}
	text, problem, _ := config.ReadSecretFile(identity)
	if problem != "" {
		return nil, errs.New(errs.Invalid, "The identity can't be read: %s", problem)
	}
	k, err := keyring.NewIdentity(redact.NewSecret(text))
	if err != nil {
		return nil, err
	}
	return keyring.New(k)
}
