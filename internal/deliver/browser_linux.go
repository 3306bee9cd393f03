package deliver

// systemBrowsers open a URL in the browser of the user's choice: the desktop's,
// that of Windows from its Linux subsystem, Debian's.
var systemBrowsers = []Browser{{"xdg-open"}, {"wslview"}, {"x-www-browser"}}
