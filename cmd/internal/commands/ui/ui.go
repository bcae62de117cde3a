// Package ui is the command that serves a page on which flows are looked at, drawn, sampled
// and followed.
package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/page"
	"flowmatch/trainer"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	if err := f.check(); err != nil {
		return err
	}
	// The port first: whoever starts a second one need not wait for libtorch.
	listener, err := listen(f.host, f.port)
	if err != nil {
		return err
	}
	defer listener.Close()
	options := page.Options{OutputDir: f.cmd.OutputDir, Version: trainer.Version, Device: f.cmd.OpenDevice}
	if !page.IsLoopback(f.host) {
		options.Token = page.NewToken()
		options.Hosts = append(options.Hosts, f.host)
		if name, err := os.Hostname(); err == nil {
			options.Hosts = append(options.Hosts, name)
		}
	}
	server, err := page.New(options)
	if err != nil {
		return err
	}
	defer server.Close()
	address := addressOf(listener, f.host, options.Token)
	handler, end := server.Handler(), func() error { return nil }
	if f.cmd.JSON {
		l := &lines{w: env.Stdout, began: time.Now()}
		handler, end = l.counting(handler), l.end
		err = cli.WriteJSON(env.Stdout, opened{
			"page", address, f.host, listener.Addr().(*net.TCPAddr).Port, options.Token, f.cmd.OutputDir,
		})
	} else {
		_, err = fmt.Fprintln(env.Stdout, address)
	}
	if err != nil {
		return err
	}
	f.cmd.Say("ui: open this address in a browser; Ctrl-C ends the page")
	if options.Token != "" {
		f.cmd.Note("other machines reach the page, too, if they have the whole address; what is sent is not encrypted")
	}
	if f.open {
		if err := openBrowser(address); err != nil {
			f.cmd.Note("no browser was opened: %v", err)
		}
	}
	err = serve(ctx, listener, server, handler)
	return errors.Join(err, end())
}

// serve answers until ctx ends.
func serve(ctx context.Context, l net.Listener, s *page.Server, h http.Handler) error {
	web := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("the page is no longer served: %w", err)
	case <-ctx.Done():
	}
	s.Close() // or the streams would hold it up
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = web.Shutdown(grace) // whoever still reads then is cut off
	_ = web.Close()
	return context.Cause(ctx)
}

func listen(host string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d of %s is taken, perhaps by another ui: end that, or choose one with --port (0: any that is free)", port, host)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d may not be used: choose one above 1023 with --port", port)
	case err != nil:
		return nil, fmt.Errorf("--host %s: nobody can be listened to there: %w", host, err)
	}
	return l, nil
}

// addressOf is what people open.
func addressOf(l net.Listener, host, token string) string {
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if name, err := os.Hostname(); err == nil && token != "" {
			host = name
		}
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	if token != "" {
		u.RawQuery = url.Values{"token": {token}}.Encode()
	}
	return u.String()
}

func openBrowser(address string) error {
	for _, program := range []string{"xdg-open", "wslview"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		c := exec.Command(path, address)
		if err := c.Start(); err != nil {
			return err
		}
		go c.Wait()
		return nil
	}
	return errors.New("there is neither xdg-open nor wslview")
}
