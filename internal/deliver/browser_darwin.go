package deliver

// systemBrowsers open a URL in the browser of the user's choice.
var systemBrowsers = []Browser{{"open"}}
