package page

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"flowmatch/trainer"
)

// A page on 127.0.0.1 is within reach of every other page of the same browser. What
// keeps those out:
//
//   - Host must name this machine, so that no foreign name that resolves to it
//     (DNS rebinding) gets an answer.
//   - Origin, and Sec-Fetch-Site, must be the page's own, and what computes wants
//     a header that no foreign page may send unasked.
//   - Where other machines may connect, a token, in the address once and then in a
//     cookie.
//
// What the page itself may do is limited by its content policy: no inline script or
// style, nothing from another place, no frame around it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// NewToken makes a token that nobody guesses.
func NewToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// IsLoopback tells whether only this machine reaches an address to listen at.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// guard lets only the page's own requests through.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		if why := s.foreign(r); why != "" {
			fail(w, &refusal{http.StatusForbidden, why})
			return
		}
		if s.token != "" && !s.admit(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says what shows that a request is not the page's own, or "".
func (s *Server) foreign(r *http.Request) string {
	if !s.knownHost(r.Host) {
		return "this server does not go by the name of " + trainer.Printable(r.Host) + ": open it by the address that bin/ui printed"
	}
	if o := r.Header.Get("Origin"); o != "" && o != "http://"+r.Host {
		return "the request comes from another page"
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		// A link on another page may lead here, and no further.
		if r.URL.Path != "/" || r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			return "the request comes from another page"
		}
	}
	if r.Method == http.MethodPost {
		if !pageName.MatchString(r.Header.Get(pageHeader)) {
			return "the request has no " + pageHeader
		}
		if ct, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); ct != "application/json" {
			return "the request is no JSON"
		}
	}
	return ""
}

// knownHost tells whether the Host of a request names this server: as this machine, or
// where other machines may connect by an address or one of the names it was given.
func (s *Server) knownHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if IsLoopback(name) {
		return true
	}
	if s.token == "" {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, known := range s.hosts {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// admit asks for the token: in the page's address, whereupon it goes into a cookie, or
// in that.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) bool {
	// Cookies of a name are shared by the ports of a machine.
	name := "flowmatch"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		name += "-" + port
	}
	if t := r.URL.Query().Get("token"); t != "" && r.URL.Path == "/" && same(t, s.token) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: t, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, "/", http.StatusSeeOther) // the address bar need not keep it
		return false
	}
	if c, err := r.Cookie(name); err == nil && same(c.Value, s.token) {
		return true
	}
	fail(w, &refusal{http.StatusUnauthorized, "a token is needed: open the whole address that bin/ui printed"})
	return false
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// pageHeader names the open page that a request is of: two of them do not take each
// other's place. No other site can set it without being asked first, and is refused
// then.
const pageHeader = "X-Flowmatch-Page"

var pageName = regexp.MustCompile(`^[0-9A-Za-z-]{8,64}$`)

func pageOf(r *http.Request) string { return r.Header.Get(pageHeader) }
