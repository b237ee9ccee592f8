package githubtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
)

// gitRoute is a path of git's smart HTTP protocol. GitHub takes a repository's
// address with and without .git.
var gitRoute = regexp.MustCompile(`^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$`)

func isGit(path string) bool { return gitRoute.MatchString(path) }

// serveGit serves clone, fetch and push through the git binary.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	m := gitRoute.FindStringSubmatch(r.URL.Path)
	service := m[3]
	if service == "info/refs" {
		if service = r.URL.Query().Get("service"); service == "" {
			http.Error(w, "the dumb protocol is not served", http.StatusForbidden)
			return
		}
	}
	write := service == "git-receive-pack"
	if !write && service != "git-upload-pack" {
		http.Error(w, "unknown service", http.StatusForbidden)
		return
	}
	if s.faults.git(w, r) {
		return
	}
	s.mu.Lock()
	re := s.lookup(m[1], m[2])
	who, known := s.gitPrincipal(r)
	allowed := re != nil && who.can(re, "contents", map[bool]string{false: "read", true: "write"}[write])
	visible := re != nil && who.can(re, "contents", "read")
	renamed := re != nil && !strings.EqualFold(re.full(), m[1]+"/"+m[2])
	full := ""
	if re != nil {
		full = re.full()
	}
	s.mu.Unlock()
	switch {
	case !allowed && !known:
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Authentication required.", http.StatusUnauthorized)
		return
	case !visible:
		http.Error(w, "Repository not found.", http.StatusNotFound)
		return
	case !allowed:
		http.Error(w, "Permission to "+full+".git denied to "+who.login()+".", http.StatusForbidden)
		return
	case renamed:
		to := s.URL + "/" + full + ".git/" + m[3]
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, to, http.StatusMovedPermanently)
		return
	}
	command := strings.TrimPrefix(service, "git-")
	w.Header().Set("Cache-Control", "no-cache")
	if m[3] == "info/refs" {
		w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
		if write || !strings.Contains(r.Header.Get("Git-Protocol"), "version=2") {
			line := "# service=" + service + "\n"
			fmt.Fprintf(w, "%04x%s0000", len(line)+4, line)
		}
		s.pipe(r, w, re.dir, nil, command, "--stateless-rpc", "--advertise-refs", re.dir)
		return
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-result")
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	if !write {
		s.pipe(r, w, re.dir, body, command, "--stateless-rpc", re.dir)
		return
	}
	// The answer waits until the pull requests know of the push: who pushed and
	// then looks must see it.
	var answer bytes.Buffer
	err := s.whilePushing(re, who.user, func() error {
		s.pipe(r, &answer, re.dir, body, command, "--stateless-rpc", re.dir)
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer.Bytes())
}

// pipe runs git between the request and the answer. Its own exit status says
// nothing that the protocol does not.
func (s *Server) pipe(r *http.Request, w io.Writer, dir string, in io.Reader, args ...string) {
	cmd := exec.CommandContext(r.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, s.gitEnv("GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
	cmd.Stdin, cmd.Stdout = in, w
	if err := cmd.Run(); err != nil {
		s.opts.Log.Debug("git", "args", strings.Join(args, " "), "error", err)
	}
}
