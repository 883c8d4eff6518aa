# The one style of all figures. Scripts set these variables before they load it:
#   name             file name without ending          rows        number of variants
#   width, height    size in pixels of the SVG         heading     title of the figure
#   footer           where and on what it was measured
# They draw once into an SVG and once more, with `replot`, into a PNG of twice the size.

# Okabe and Ito, "Color universal design" (2008): eight colours that colour-blind readers tell apart.
blue = '#0072b2'; orange = '#e69f00'; green = '#009e73'; red = '#d55e00'
purple = '#cc79a7'; sky = '#56b4e9'; yellow = '#b8a800'; black = '#1b1f24'; gray = '#8a939b'
set linetype 1 lc rgb blue   lw 1.8 pt 7 ps 0.9
set linetype 2 lc rgb orange lw 1.8 pt 5 ps 0.9
set linetype 3 lc rgb green  lw 1.8 pt 9 ps 1.0
set linetype 4 lc rgb red    lw 1.8 pt 13 ps 1.1
set linetype 5 lc rgb purple lw 1.8 pt 11 ps 1.0
set linetype 6 lc rgb sky    lw 1.8 pt 6 ps 0.9
set linetype 7 lc rgb yellow lw 1.8 pt 4 ps 0.9
set linetype 8 lc rgb black  lw 1.8 pt 8 ps 1.0
set linetype cycle 8

svg = sprintf("set terminal svg size %d,%d dynamic noenhanced background '#ffffff' font 'Helvetica,13'; set output '%s.svg'", width, height, name)
png = sprintf("set terminal pngcairo size %d,%d noenhanced background '#ffffff' font 'Sans,12' fontscale 1.8 linewidth 2 pointscale 2; set output '%s.png'", 2*width, 2*height, name)

set datafile separator "\t"
set encoding utf8
set border 3 lc rgb gray lw 1
set tics nomirror out scale 0.6 textcolor rgb black
set grid lc rgb '#e4e8eb' lw 1 lt 1
set key noautotitle
set style fill solid 0.85 noborder
set title heading textcolor rgb black offset 0,-0.3
set label 1000 footer at screen 0.5, screen 0 center offset 0,0.7 textcolor rgb gray font ',9'
set bmargin 5

# Rows of variants from top to bottom, named at the left: `using value:row:…:ytic(label)`.
by_variant = "set yrange [rows-0.4:-0.6]; set grid noytics; set tics scale 0.6; set ytics scale 0; set border 1"
