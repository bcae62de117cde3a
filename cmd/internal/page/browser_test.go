package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flowmatch/trainer"
)

// complaints are what a page must not do: errors, and requests to anyone but its server.
type complaints struct {
	mu   sync.Mutex
	host string
	away bool // the server has ended: that requests fail is right
	all  []string
}

func (c *complaints) see(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Method {
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
		c.all = append(c.all, string(m.Params))
	case "Log.entryAdded":
		if !c.away {
			c.all = append(c.all, string(m.Params))
		}
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		if json.Unmarshal(m.Params, &p) != nil {
			return
		}
		if u, err := url.Parse(p.Request.URL); err != nil || (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ws") && u.Host != c.host {
			c.all = append(c.all, "a request to "+p.Request.URL)
		}
	}
}

func (c *complaints) setAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// site serves a page at an address that stays when it starts again.
type site struct {
	t    *testing.T
	dir  string
	addr string
	stop func()
}

func (s *site) start() {
	s.t.Helper()
	at := s.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", at)
	check(s.t, err)
	s.addr = l.Addr().String()
	server, err := New(Options{OutputDir: s.dir, Version: "test"})
	check(s.t, err)
	web := &http.Server{Handler: server.Handler()}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	s.stop = sync.OnceFunc(func() {
		server.Close()
		web.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			s.t.Error(err)
		}
	})
}

// writeSnapshots writes grids of a run on its way.
func writeSnapshots(t *testing.T, dir string) {
	t.Helper()
	check(t, os.Mkdir(filepath.Join(dir, "progress"), 0o755))
	for i, step := range []int{2, 4, 6} {
		img := image.NewGray(image.Rect(0, 0, 40, 20))
		img.SetGray(i, i, color.Gray{Y: 255})
		f, err := os.Create(filepath.Join(dir, "progress", fmt.Sprintf("%06d.png", step)))
		check(t, err)
		check(t, png.Encode(f, img))
		check(t, f.Close())
	}
}

// TestBrowser uses the page as a person does, in a real browser.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	path := findChromium(t)
	s := &site{t: t, dir: copied(t)}
	writeSnapshots(t, filepath.Join(s.dir, "cfm", "digits"))
	s.start()
	defer func() { s.stop() }()
	wrong := &complaints{host: s.addr}
	p := startChromium(t, path, wrong.see).open()
	p.size(1280, 900, "light")
	p.do("Page.navigate", params{"url": "http://" + s.addr + "/"})

	picture := func(selector string) string {
		t.Helper()
		return p.eval(fmt.Sprintf("document.querySelector(%q).toDataURL()", selector)).(string)
	}
	number := func(expression string) float64 {
		t.Helper()
		n, ok := p.eval("Number(" + expression + ")").(float64)
		if !ok {
			t.Fatalf("%s is no number", expression)
		}
		return n
	}
	scrub := func(t float64) {
		p.eval(fmt.Sprintf("(() => { const r = document.querySelector('.time input'); r.value = %v; r.dispatchEvent(new Event('input')); })()", t))
	}

	all := t
	part := func(name string, f func(*testing.T)) {
		all.Run(name, func(t *testing.T) {
			p.t = t
			f(t)
		})
		p.t = all
	}

	part("flow", func(t *testing.T) {
		p.until("the points are solved", "document.querySelector('.view')?.dataset.traced >= 1 && document.querySelector('.view').dataset.fields >= 1 && document.querySelectorAll('.plane canvas').length === 2")
		scrub(1)
		end := picture(".plane canvas")
		scrub(0.3)
		if picture(".plane canvas") == end {
			t.Error("the scrubber does not change the picture")
		}
		scrub(1)
		if picture(".plane canvas") != end {
			t.Error("the same time is another picture")
		}
		p.eval("document.activeElement.blur()")
		p.press("Home")
		p.until("the keyboard moves time", "document.querySelector('.time input').value === '0'")
		p.press(" ")
		p.until("it plays", "document.querySelector('.time input').value > 0.1")
		p.press(" ")
		scrub(0.5)
		before := picture(".plane canvas")
		box := p.eval("(() => { const b = document.querySelector('.plane canvas').getBoundingClientRect(); return [b.x + b.width / 3, b.y + b.height / 3]; })()").([]any)
		x, y := box[0].(float64), box[1].(float64)
		p.mouse("mousePressed", x, y)
		p.mouse("mouseReleased", x, y)
		p.until("a click drops a point, whose path is drawn", fmt.Sprintf("document.querySelector('.plane canvas').toDataURL() !== %q", before))
		for _, far := range []float64{40, 60, 80} { // faster than they are solved
			p.mouse("mousePressed", x+far, y+far)
			p.mouse("mouseReleased", x+far, y+far)
		}
		p.until("all have their paths", "document.querySelector('.view').dataset.paths === '4'")
		// By another solver all have other paths, and so has the curve a place for it.
		p.eval("(() => { const r = [...document.querySelectorAll('.panel input[type=range]')][0]; r.value = 2; r.dispatchEvent(new Event('input')); })()")
		p.until("all paths are solved anew", "document.querySelector('.view').dataset.paths === '4' && document.querySelector('.command code').textContent.includes('--steps 2')")
		p.eval("document.querySelector('.view .chart').parentElement.scrollIntoView()") // not before it is seen
		p.until("quality is measured", "document.querySelector('.view .chart svg').dataset.points > 4")
		if command := p.eval("document.querySelector('.command code').textContent"); !strings.Contains(command.(string), "bin/sample --dataset moons") {
			t.Errorf("the command is %q", command)
		}
	})

	part("digits", func(t *testing.T) {
		p.eval("location.hash = '#digits'")
		p.until("the pictures are solved", "document.querySelector('.view')?.dataset.sampled >= 1")
		sample := func(seed int) string {
			had := number("document.querySelector('.view').dataset.sampled")
			p.eval(fmt.Sprintf("(() => { const s = document.querySelector('input[type=number]'); s.value = %d; s.dispatchEvent(new Event('change')); })()", seed))
			p.until("they are solved anew", fmt.Sprintf("document.querySelector('.view').dataset.sampled > %v", had))
			scrub(1)
			return picture(".picture")
		}
		first := sample(42)
		other := sample(43)
		if first == other {
			t.Error("another seed is the same picture")
		}
		if sample(42) != first {
			t.Error("the same seed is another picture")
		}
		scrub(0)
		if picture(".picture") == first {
			t.Error("the noise is the picture")
		}
		saved := p.eval("fetch(document.querySelector('a.button').href).then((r) => r.blob()).then((b) => b.type + ' ' + (b.size > 100))")
		if saved != "image/png true" {
			t.Errorf("what is saved: %v", saved)
		}
	})

	part("draw", func(t *testing.T) {
		p.eval("location.hash = '#draw'")
		p.until("an example is there", "document.querySelector('.plane figcaption .quiet')?.textContent === '1,200 points' && document.querySelector('main [role=status]').textContent.includes('An example')")
		if p.eval("document.querySelector('.view').dataset.trained") != nil || p.eval("document.querySelector('button.first').textContent") != "Train" {
			t.Error("it trains before anybody has asked")
		}
		p.eval("document.querySelector('button.first').click()")
		p.until("the losses come", "document.querySelector('.chart svg')?.dataset.points > 2")
		had := number("document.querySelector('.chart svg').dataset.points")
		p.until("the losses grow", fmt.Sprintf("document.querySelector('.chart svg').dataset.points > %v", had))
		box := p.eval("(() => { const b = document.querySelector('.plane canvas').getBoundingClientRect(); return [b.x, b.y, b.width]; })()").([]any)
		x, y, w := box[0].(float64), box[1].(float64), box[2].(float64)
		p.mouse("mousePressed", x+w*.3, y+w*.4)
		for i := range 8 {
			p.mouse("mouseMoved", x+w*(.3+.05*float64(i)), y+w*.4)
		}
		p.mouse("mouseReleased", x+w*.65, y+w*.4)
		p.until("a stroke is a drawing, and is trained on", "document.querySelector('.plane figcaption .quiet').textContent !== '1,200 points' && document.querySelector('.chart svg').dataset.points > 0")
		before := picture(".plane canvas")
		p.until("the field forms", fmt.Sprintf("document.querySelector('.plane canvas').toDataURL() !== %q", before))
	})

	part("runs", func(t *testing.T) {
		p.eval("location.hash = '#runs'")
		p.until("the runs are listed", "document.querySelectorAll('.runs button').length === 3")
		p.eval("[...document.querySelectorAll('.runs button')].find((b) => b.textContent.startsWith('digits')).click()")
		p.until("the loss is drawn", "document.querySelector('.chart svg').dataset.points >= 6")
		points := number("document.querySelector('.chart svg').dataset.points")
		f, err := os.OpenFile(filepath.Join(s.dir, "cfm", "digits", trainer.MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
		check(t, err)
		defer f.Close()
		_, err = io.WriteString(f, `{"step":7,"loss":0.5}`+"\n"+`{"step":8,"loss":0.4}`+"\n")
		check(t, err)
		p.until("the loss grows", fmt.Sprintf("document.querySelector('.chart svg').dataset.points > %v", points))
		shot := func() string { return p.eval("document.querySelector('.shots img').getAttribute('src')").(string) }
		last := shot()
		p.eval("(() => { const r = document.querySelector('.stage input[type=range]'); r.value = 0; r.dispatchEvent(new Event('input')); })()")
		if first := shot(); first == last || !strings.Contains(first, "000002.png") || !strings.Contains(last, "000006.png") {
			t.Errorf("the slider goes from %s to %s", first, last)
		}
		p.until("the snapshot is there", "document.querySelector('.shots img').naturalWidth === 40")
		p.eval("[...document.querySelectorAll('.runs button')].find((b) => b.textContent.startsWith('moons')).click()")
		p.until("two runs are compared", "document.querySelectorAll('.chart .line.a, .chart .line.b').length === 2 && document.querySelectorAll('.facts b').length === 2")
	})

	part("a restart", func(t *testing.T) {
		p.eval("location.hash = '#flow'")
		p.until("the points are there", "document.querySelector('.view').dataset.traced >= 1")
		wrong.setAway(true)
		s.stop()
		p.until("the page says that the server has gone", "document.getElementById('status').classList.contains('bad')")
		s.start()
		p.until("the page goes on", "!document.getElementById('status').classList.contains('bad')")
		had := number("document.querySelector('.view').dataset.traced")
		time.Sleep(50 * time.Millisecond)
		wrong.setAway(false)
		p.eval("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Another').click()")
		p.until("it solves again", fmt.Sprintf("document.querySelector('.view').dataset.traced > %v", had))
	})

	part("the keyboard", func(t *testing.T) {
		for _, view := range []string{"flow", "draw", "digits", "runs"} {
			p.eval("location.hash = '#" + view + "'")
			p.until(view+" is there", "document.querySelector('nav a[aria-current]').getAttribute('href') === '#"+view+"' && document.querySelectorAll('main button').length > 2")
			reached := p.eval(everyControl).([]any)
			if len(reached) < 5 {
				t.Errorf("%s has %d controls", view, len(reached))
			}
			p.eval("document.activeElement.blur()")
			seen := map[string]bool{}
			for range 2 * len(reached) {
				p.press("Tab")
				at := p.eval("(() => { const e = document.activeElement, s = getComputedStyle(e); return [e.dataset.number ?? '', s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; })()").([]any)
				if at[0] != "" && at[1] != true {
					t.Errorf("%s: the focus is not seen on %v", view, p.eval("document.activeElement.outerHTML.slice(0, 80)"))
				}
				seen[at[0].(string)] = true
			}
			for i, c := range reached {
				name := c.([]any)
				if !seen[fmt.Sprint(i)] {
					t.Errorf("%s: the keyboard does not reach %v", view, name[1])
				}
				if name[0] == "" {
					t.Errorf("%s: %v has no name", view, name[1])
				}
			}
		}
	})

	part("less motion", func(t *testing.T) {
		p.do("Emulation.setEmulatedMedia", params{"features": []params{{"name": "prefers-reduced-motion", "value": "reduce"}}})
		p.do("Page.navigate", params{"url": "http://" + s.addr + "/?still#flow"})
		p.until("the points are solved", "document.querySelector('.view')?.dataset.traced >= 1 && document.querySelector('.view').dataset.fields >= 1")
		if at := p.eval("document.querySelector('.time input').value + document.querySelector('.time button').getAttribute('aria-label')"); at != "1Play" {
			t.Errorf("time goes by itself: %v", at)
		}
	})

	part("small and dark", func(t *testing.T) {
		for _, view := range []string{"flow", "draw", "digits", "runs"} {
			p.size(390, 844, "dark")
			p.eval("location.hash = '#" + view + "'")
			p.until(view+" is shown", "document.querySelector('nav a[aria-current]').getAttribute('href') === '#"+view+"' && document.querySelector('main h1') !== null")
			if over := number("document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s is %v pixels wider than a phone", view, over)
			}
		}
	})
	wrong.mu.Lock()
	defer wrong.mu.Unlock()
	for _, w := range wrong.all {
		t.Errorf("the page: %s", w)
	}
}

// everyControl numbers the controls that are seen and can be used, but not those of the
// frame; it gives the name and the beginning of each. Of those of a group that take the
// keyboard together there is none here.
const everyControl = `[...document.querySelectorAll('main button, main input, main select, main a[href], main canvas[tabindex]')]
	.filter((e) => !e.disabled && e.getClientRects().length > 0)
	.map((e, i) => {
		e.dataset.number = i;
		const name = e.getAttribute('aria-label') || [...(e.labels || [])].map((l) => l.textContent).join(' ') || (e.tagName === 'SELECT' || e.tagName === 'INPUT' ? '' : e.textContent);
		return [name.trim(), e.outerHTML.slice(0, 80)];
	})`

// TestScreenshots takes pictures of every view for people to look at, of the page at
// FLOWMATCH_PAGE, http://127.0.0.1:8765/ by default.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("FLOWMATCH_SCREENSHOTS")
	if dir == "" {
		t.Skip("FLOWMATCH_SCREENSHOTS=DIR takes them, of a bin/ui that runs")
	}
	base := os.Getenv("FLOWMATCH_PAGE")
	if base == "" {
		base = "http://127.0.0.1:8765/"
	}
	views := strings.Fields(os.Getenv("FLOWMATCH_VIEWS"))
	if len(views) == 0 {
		views = []string{"flow", "draw", "digits", "runs"}
	}
	b := startChromium(t, findChromium(t), func(m message) {
		switch m.Method {
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			t.Errorf("%s %s", m.Method, m.Params)
		}
	})
	for _, view := range views {
		for _, scheme := range []string{"light", "dark"} {
			for width, height := range map[int]int{1280: 900, 390: 844} {
				p := b.open()
				p.size(width, height, scheme)
				p.do("Page.navigate", params{"url": base + "#" + view})
				name, _, _ := strings.Cut(view, "?")
				shot := func(more string) {
					p.screenshot(filepath.Join(dir, fmt.Sprintf("%s%s-%s-%d.png", name, more, scheme, width)))
				}
				time.Sleep(4 * time.Second) // a film
				if name == "draw" {
					shot("-opened")
					p.eval("document.querySelector('button.first').click()")
					time.Sleep(4 * time.Second)
				}
				p.eval("scrollTo(0, document.body.scrollHeight)") // what is measured when it is seen
				time.Sleep(4 * time.Second)
				p.eval("scrollTo(0, 0)")
				if strings.HasPrefix(view, "flow") {
					box := p.eval("(() => { const b = document.querySelector('.plane canvas').getBoundingClientRect(); return [b.x, b.y, b.width]; })()").([]any)
					for _, at := range []float64{.2, .4, .6, .8} {
						x, y := box[0].(float64)+at*box[2].(float64), box[1].(float64)+(1-at)*box[2].(float64)
						p.mouse("mousePressed", x, y)
						p.mouse("mouseReleased", x, y)
					}
					time.Sleep(time.Second)
				}
				shot("")
				p.do("Page.close", params{})
			}
		}
	}
}
