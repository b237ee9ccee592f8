package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// gate decides who is let in, until there are users and sessions.
type gate struct {
	password [sha256.Size]byte // of the password: compared in constant time whatever the lengths
	local    bool              // there is no password: this machine alone is let in
}

func newGate(password redact.Secret) gate {
	return gate{password: sha256.Sum256([]byte(password.Reveal())), local: password.Empty()}
}

// admit reports whether the request may go on, and answers it where it may not.
func (g gate) admit(w http.ResponseWriter, r *http.Request) bool {
	if g.local {
		err := fromHere(r)
		if err != nil {
			refuse(w, r, http.StatusForbidden, err)
		}
		return err == nil
	}
	_, given, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(sum[:], g.password[:]) == 1 {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Tidelock", charset="UTF-8"`)
	refuse(w, r, http.StatusUnauthorized, errs.New(errs.Forbidden, "These pages ask for a password, with any user name. It is the server's setting web.password_file."))
	return false
}

// proxied are headers that a proxy leaves. Behind one every request seems to
// come from this machine, so one of them is enough to be refused.
var proxied = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Port",
	"X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Via",
}

const setPassword = " Set web.password_file in the server's configuration, and the pages ask for that password instead."

// fromHere returns nil for a request of this machine's own. The name that was
// asked for must be this machine's too: a page of another site can point a
// name of its own at 127.0.0.1 and have a browser here read the answer.
func fromHere(r *http.Request) error {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return errs.New(errs.Forbidden, "Without a password these pages answer only requests that come from the server's own machine."+setPassword)
	}
	for _, h := range proxied {
		if len(r.Header.Values(h)) > 0 {
			return errs.New(errs.Forbidden, "This request came through a proxy, and without a password these pages answer only the server's own machine."+setPassword)
		}
	}
	if !isLocalName(r.Host) {
		return errs.New(errs.Forbidden, "Without a password these pages answer only to the names localhost and 127.0.0.1."+setPassword)
	}
	return nil
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
