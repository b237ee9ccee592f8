package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// checkStateKeys tells of keys that stored states need and that are not there,
// and of those in Vault that can't be used.
func checkStateKeys(ctx context.Context, c *Clinic) Diagnosis {
	if c.config.Database.Empty() || c.problems.Of("database", "database_file") != nil || c.problems.Of(config.WrappingBlock) != nil {
		return skip("the database or the keys are not known, see configuration")
	}
	stored := c.config.DatabaseExists()
	key, err := config.FindEncryptionKey(c.config)
	if err != nil && !stored {
		return ok("no state is stored yet")
	}
	if err != nil {
		return skip("there is no key, see encryption-key")
	}
	ring, err := parts.Keyring(c.config, key)
	if err != nil {
		return fail("name the key in the configuration where it is, or take its block out", "%s", errs.Explain(err))
	}
	if err := ring.Probe(ctx); err != nil {
		return fail("mend what is said of Vault: until then no state is written under its key, and none read that was not read lately", "%s", errs.Explain(err))
	}
	if !stored {
		return ok("no state is stored yet")
	}
	d, err := db.Open(ctx, c.config.Database.Reveal())
	if err != nil {
		return skip("the database can't be opened, see database")
	}
	defer d.Close()
	if have, want, err := d.Version(ctx); err != nil || have != want {
		return skip("the database has another version, see database")
	}
	used, err := state.New(state.Options{DB: d, Keys: ring}).KeysInUse(ctx)
	if err != nil {
		return fail("", "%s", errs.Sentence(err))
	}
	versions, counts := 0, false
	var lost []string
	for _, u := range used {
		versions += u.Versions
		if !u.There {
			lost = append(lost, fmt.Sprintf("%s, which %d versions need", u.ID, u.Versions))
			counts = counts || u.Current > 0
		}
	}
	const mend = "bring the key back from its backup and name it in a wrapping_key block; see docs/state.md"
	switch {
	case counts:
		return fail(mend, "keys of stored states are not there: %s", strings.Join(lost, "; "))
	case len(lost) > 0:
		return warn(mend, "keys of older versions of states are not there: %s", strings.Join(lost, "; "))
	}
	return ok("the keys of all %d versions of states are there; %s wraps new ones", versions, ring.Active())
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

func holdsFiles(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}
