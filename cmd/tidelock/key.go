package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
)

// newKeyCommand returns `tidelock key` with its subcommands.
func newKeyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "List the keys that things are encrypted with, and change over to others",
		Long: "Everything that is encrypted has a data key of its own. Those of states are wrapped by the active key: the\n" +
			"encryption key, or one that a block wrapping_key of the configuration names. Those of plans, logs and the replica\n" +
			"are sealed by the encryption key.",
		Example: "  tidelock key list\n  tidelock key rotate",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newKeyListCommand(p), newKeyRotateCommand(p))
	return cmd
}

// keyView is a key in `tidelock key list --json`.
type keyView struct {
	ID       string         `json:"id"`
	Versions int            `json:"versions"` // of states, whose data key it wraps
	Current  int            `json:"current"`  // of those, versions that count
	Blobs    map[string]int `json:"blobs"`    // other stored files that it seals, by kind
	Replica  int            `json:"replica"`  // files of the replica that it seals
	Active   bool           `json:"active"`   // wraps what is new of states
	Seals    bool           `json:"seals"`    // seals what is new of all else: the encryption key
	There    bool           `json:"there"`
}

// needed reports whether something can't be read without the key.
func (k keyView) needed() bool { return k.Versions+k.Replica+len(k.Blobs) > 0 }

// sealedKeys returns the ID that each key of 32 bytes has in the heads of
// stored files, with the one that it has in the keyring.
func sealedKeys(c config.Config) (map[string]string, error) {
	encryption, err := config.FindEncryptionKey(c)
	if err != nil {
		return nil, err
	}
	earlier, err := parts.EarlierKeys(c)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, secret := range slices.Insert(earlier, 0, encryption) {
		sealed, err := blob.KeyID(secret)
		if err != nil {
			return nil, err
		}
		k, err := keyring.NewLocal(secret)
		if err != nil {
			return nil, err
		}
		ids[sealed] = k.ID()
	}
	return ids, nil
}

// keys lists every key that is there, or that something needs.
func (v *vault) keys(ctx context.Context) ([]keyView, error) {
	wrapped, err := v.states.KeysInUse(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := sealedKeys(v.config)
	if err != nil {
		return nil, err
	}
	encryption, err := config.FindEncryptionKey(v.config)
	if err != nil {
		return nil, err
	}
	sealing, err := blob.KeyID(encryption)
	if err != nil {
		return nil, err
	}
	var all []keyView
	for _, u := range wrapped {
		all = append(all, keyView{ID: u.ID, Versions: u.Versions, Current: u.Current, Blobs: map[string]int{}, Active: u.Active, There: u.There, Seals: u.ID == ids[sealing]})
	}
	find := func(sealed string) *keyView {
		id, known := ids[sealed]
		if !known {
			id = "sealed-" + sealed
		}
		i := slices.IndexFunc(all, func(k keyView) bool { return k.ID == id })
		if i < 0 {
			i = len(all)
			all = append(all, keyView{ID: id, Blobs: map[string]int{}, There: known})
		}
		return &all[i]
	}
	if err := v.blobs.Keys(ctx, func(i blob.Item, key string) error {
		switch {
		case key == "": // of a state: its row has the data key
		case strings.HasPrefix(i.Client, "replica-"):
			find(key).Replica++
		default:
			find(key).Blobs[blob.Kind(i.Ref)]++
		}
		return nil
	}); err != nil {
		return nil, err
	}
	replica, err := v.openReplica(ctx)
	if err != nil || replica == nil {
		return all, err
	}
	defer replica.Close()
	err = replica.Keys(ctx, func(_ blob.Item, key string) error {
		if key != "" {
			find(key).Replica++
		}
		return nil
	})
	return all, err
}

// openReplica opens the place of the replica, nil where there is none that lies
// apart from the other stored files.
func (v *vault) openReplica(ctx context.Context) (*blob.Store, error) {
	if v.config.Replica.URL == "" {
		return nil, nil
	}
	key, err := config.FindEncryptionKey(v.config)
	if err != nil {
		return nil, err
	}
	s, err := parts.Replica(ctx, v.config, "", key)
	if err == nil && s.Where() == v.blobs.Where() {
		return nil, s.Close()
	}
	return s, err
}

func newKeyListCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, and what needs each",
		Long: "Counts the versions of states that each key wraps, and the plans, logs and files of the replica that it seals; the\n" +
			"head of each stored file is read. A key that is needed and not there is told with exit code 1: without it those\n" +
			"can't be read. One that nothing needs, and that is not in use for what is new, can be taken out of the\n" +
			"configuration; backups that it encrypted need it still.",
		Example: "  tidelock key list\n  tidelock key list --json | jq '.keys[] | select(.there | not)'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				all, err := v.keys(ctx)
				if err != nil {
					return err
				}
				var lost []string
				t := newTable("KEY", "VERSIONS", "OF THEM COUNT", "STORED FILES", "REPLICA", "")
				for _, k := range all {
					if !k.There && k.needed() {
						lost = append(lost, fmt.Sprintf("%s (%s)", k.ID, k.needs()))
					}
					t.row(k.ID, humanize.Comma(int64(k.Versions)), humanize.Comma(int64(k.Current)), k.files(), humanize.Comma(int64(k.Replica)), k.mark())
				}
				if asJSON {
					err = writeJSON(p.stdout, map[string]any{"keys": all})
				} else {
					err = t.write(p.stdout)
				}
				if len(lost) > 0 {
					err = errors.Join(err, errs.New(errs.Unavailable, "What these keys encrypted can't be read, since they are not there: %s. Name each in a wrapping_key block, from its backup. The encryption key has one name for states, and where it is not there another for all else.", strings.Join(lost, ", ")))
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// files says which stored files the key seals: "2 log, 3 plan".
func (k keyView) files() string {
	var all []string
	for kind, n := range k.Blobs {
		all = append(all, fmt.Sprintf("%s %s", humanize.Comma(int64(n)), kind))
	}
	slices.SortFunc(all, func(a, b string) int {
		_, a, _ = strings.Cut(a, " ")
		_, b, _ = strings.Cut(b, " ")
		return strings.Compare(a, b)
	})
	return strings.Join(all, ", ")
}

// needs says what can't be read without the key.
func (k keyView) needs() string {
	var all []string
	if k.Versions > 0 {
		all = append(all, fmt.Sprintf("%s versions of states", humanize.Comma(int64(k.Versions))))
	}
	if files := k.files(); files != "" {
		all = append(all, files)
	}
	if k.Replica > 0 {
		all = append(all, fmt.Sprintf("%s files of the replica", humanize.Comma(int64(k.Replica))))
	}
	return strings.Join(all, ", ")
}

func (k keyView) mark() string {
	switch {
	case !k.There && k.needed():
		return "LOST"
	case k.Active && k.Seals:
		return "active"
	case k.Active:
		return "active for states"
	case k.Seals:
		return "active for the rest"
	case !k.needed():
		return "needed by nothing"
	}
	return ""
}

func newKeyRotateCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Have nothing need any key but those in use",
		Long: "Wraps the data key of every version of a state anew with the active key, and seals that of every plan, log and other\n" +
			"stored file anew with the encryption key. No content is decrypted: states are not rewritten at all, stored files\n" +
			"are copied with a new head. The server may run meanwhile; a stop half-way harms nothing, and the next call goes on.\n" +
			"Name the new key in the configuration first, in a block wrapping_key with active = true or as the encryption key,\n" +
			"keep the old one in a block, and restart the server. The replica is left alone: its files are replaced within a\n" +
			"week. Backups keep the key that they were made with.",
		Example: "  tidelock key rotate\n  tidelock key list",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				progress := p.seconds()
				versions, lost, err := v.states.Rotate(ctx, v.who, func(done int) { progress("versions of states", int64(done)) })
				if err != nil {
					return err
				}
				files, err := v.rotateBlobs(ctx, func(done int64) { progress("stored files", done) })
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"rotated": versions, "lost": lost, "blobs": map[string]any{"rotated": files.Done, "lost": files.Lost, "damaged": files.Damaged}})
				}
				left := ""
				if lost > 0 || files.Lost > 0 {
					left = fmt.Sprintf(" %d versions and %d stored files need keys that are not there; see `tidelock key list`.", lost, files.Lost)
				}
				if files.Damaged > 0 {
					left += fmt.Sprintf(" %d stored files are damaged; see `tidelock blobs check`.", files.Damaged)
				}
				_, err = fmt.Fprintf(p.stdout, "%d versions of states were wrapped anew, and %d stored files sealed anew.%s\n", versions, files.Done, left)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// rotateBlobs seals stored files anew, with its audit event where it did.
func (v *vault) rotateBlobs(ctx context.Context, progress func(done int64)) (blob.Rotation, error) {
	r, err := v.blobs.Rotate(ctx, func(r blob.Rotation) { progress(r.Done) })
	if r.Done == 0 {
		return r, err
	}
	return r, errors.Join(err, v.db.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		return access.NewTrail(v.db).Record(ctx, tx, access.Event{Action: "blobs.keys_rotated", Subject: "blobs", Actor: v.who.Actor, Detail: map[string]any{"blobs": r.Done, "lost": r.Lost, "damaged": r.Damaged}})
	}))
}

// seconds tells on standard error how far something is, once a second at most.
func (p *program) seconds() func(what string, done int64) {
	var last time.Time
	return func(what string, done int64) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(p.stderr, "%s: %s\n", what, humanize.Comma(done))
	}
}
