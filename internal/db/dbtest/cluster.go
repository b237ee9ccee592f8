package dbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the cluster's only role. It has no password: whoever reaches
// the socket in the cluster's folder, which its owner and root alone can, is
// trusted.
const superuser = "tidelock"

type cluster struct {
	dir      string // of the socket and the data
	pipe     io.Closer
	count    atomic.Int64
	template func() error // makes the migrated template database, once
}

// errNoPostgres means that this machine has no PostgreSQL to start.
var errNoPostgres = errors.New("no PostgreSQL server binaries (initdb, postgres) on PATH or in /usr/lib/postgresql/*/bin")

var start = sync.OnceValues(startCluster)

func theCluster(t testing.TB) *cluster {
	t.Helper()
	c, err := start()
	if errors.Is(err, errNoPostgres) {
		t.Skipf("not tested on PostgreSQL: %v", err)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return c
}

// watcher starts the server and removes it and its folder once its standard
// input closes, which the end of the test process does, a SIGKILL too. It runs
// as the cluster's user, so it can only remove what is that user's.
const watcher = `
trap '' INT TERM HUP QUIT
"$1"/postgres -D "$2"/data </dev/null >"$2"/log 2>&1 &
server=$!
read -r _
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$2"
`

func startCluster() (*cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	attr, owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := clusterDir(owner)
	if err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			_ = os.RemoveAll(dir)
		}
	}()

	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.Env, initdb.SysProcAttr = dir, cleanEnv(dir), attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	// Nothing here need survive a power cut, so nothing is synced.
	conf := fmt.Sprintf("listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = off\nsynchronous_commit = off\n"+
		"full_page_writes = off\nmax_connections = 300\nshared_buffers = 32MB\n", dir)
	confPath := filepath.Join(dir, "data", "postgresql.conf")
	f, err := os.OpenFile(confPath, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(conf); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	sh := exec.Command("/bin/sh", "-c", watcher, "sh", bin, dir)
	sh.Dir, sh.Env = dir, cleanEnv(dir)
	own := *attr
	own.Setsid = true // an interrupt typed at the terminal must not reach the watcher
	sh.SysProcAttr = &own
	pipe, err := sh.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := sh.Start(); err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, pipe: pipe}
	c.template = sync.OnceValue(func() error {
		if err := c.exec("CREATE DATABASE migrated"); err != nil {
			return err
		}
		return migrate(c.dsn("migrated"))
	})
	started = true // from here on the watcher removes the folder
	if err := c.waitReady(sh); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		_ = pipe.Close()
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(log))
	}
	return c, nil
}

// waitReady waits until the server answers, at most 30 s. The watcher ending
// first means that it could not even start the server.
func (c *cluster) waitReady(sh *exec.Cmd) error {
	gone := make(chan error, 1)
	go func() { gone <- sh.Wait() }()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case werr := <-gone:
			return fmt.Errorf("the watcher ended: %v", werr)
		case <-deadline:
			return fmt.Errorf("the server did not answer within 30 s: %w", err)
		case <-tick.C:
		}
	}
}

// database makes a database for one test and drops it afterwards.
func (c *cluster) database(t testing.TB, migrated bool) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.count.Add(1))
	query := "CREATE DATABASE " + name
	if migrated {
		if err := c.template(); err != nil {
			t.Fatalf("migrate the PostgreSQL template: %v", err)
		}
		query += " TEMPLATE migrated STRATEGY file_copy" // half the cost of the default
	}
	if err := c.exec(query); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return c.dsn(name)
}

func (c *cluster) dsn(name string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=%s&sslmode=disable", name, c.dir, superuser)
}

func (c *cluster) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.dsn("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, query)
	return err
}

// findBinaries returns the folder of the newest server on this machine.
func findBinaries() (string, error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	sort.Slice(candidates, func(i, j int) bool { return version(candidates[i]) > version(candidates[j]) })
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(real))
		}
	}
	for _, dir := range candidates {
		ok := true
		for _, name := range []string{"initdb", "postgres"} {
			if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
				ok = false
			}
		}
		if ok {
			return dir, nil
		}
	}
	return "", errNoPostgres
}

// version reads 15 out of /usr/lib/postgresql/15/bin.
func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// serverUser tells as whom the server runs: it refuses to run as root, so root
// lends it another user.
func serverUser() (*syscall.SysProcAttr, *user.User, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr != nil || gerr != nil {
			continue
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, u, nil
	}
	return nil, nil, fmt.Errorf("%w that may run: this is root, and there is no user postgres or nobody", errNoPostgres)
}

// clusterDir makes the cluster's folder, owner's when that is not nil. It must
// be short, since a socket's path may have 107 bytes, and lie where the owner
// can reach it, which a TMPDIR below root's home is not.
func clusterDir(owner *user.User) (string, error) {
	base := os.TempDir()
	if owner != nil || len(base) > 60 {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "tidelock-pg-")
	if err != nil || owner == nil {
		return dir, err
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// cleanEnv keeps PGDATA, PGPORT and the like of whoever runs the tests away.
func cleanEnv(dir string) []string {
	return []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C", "TZ=UTC"}
}
