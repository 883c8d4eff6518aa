# The one style of all figures. Scripts set these variables before they load it:
#   name             file name without ending          rows        number of rows, or of lines
#   width, height    size in pixels of the SVG         heading     title of the figure
#   footer           where and on what it was measured
# They draw once into an SVG, once more into a PNG of twice the size, and into a PDF.

# Okabe and Ito, "Color universal design" (2008): eight colours that colour-blind readers tell apart.
blue = '#0072b2'; orange = '#e69f00'; green = '#009e73'; red = '#d55e00'
purple = '#cc79a7'; sky = '#56b4e9'; yellow = '#b8a800'; black = '#1b1f24'
# Words and lines that matter less; borders.
gray = '#5c6670'; pale = '#9aa4ad'
set linetype 1 lc rgb blue   lw 1.8 pt 7 ps 0.8
set linetype 2 lc rgb orange lw 1.8 pt 5 ps 0.8
set linetype 3 lc rgb green  lw 1.8 pt 9 ps 0.9
set linetype 4 lc rgb red    lw 1.8 pt 13 ps 1.0
set linetype 5 lc rgb purple lw 1.8 pt 11 ps 0.9
set linetype 6 lc rgb sky    lw 1.8 pt 6 ps 0.8
set linetype 7 lc rgb yellow lw 1.8 pt 4 ps 0.8
set linetype 8 lc rgb black  lw 1.8 pt 8 ps 0.9
set linetype cycle 8
# Error bars of upright values: @bars. gnuplot's 'yerrorbars' wipes a disc behind each point, and the bar with it.
bars = "with vectors heads size screen 0.004,90 fixed lw 1.2"

svg = sprintf("set terminal svg size %d,%d dynamic noenhanced background '#ffffff' font 'Helvetica,13'; set output '%s.svg'", width, height, name)
png = sprintf("set terminal pngcairo size %d,%d noenhanced background '#ffffff' font 'Helvetica,13' fontscale 1.5 linewidth 2 pointscale 2; set output '%s.png'", 2*width, 2*height, name)
pdf = sprintf("set terminal pdfcairo size %f,%f noenhanced background '#ffffff' font 'Helvetica,13' fontscale 0.5625 linewidth 1.2 pointscale 1; set output '%s.pdf'", width/96.0, height/96.0, name)
# Builds of gnuplot without cairo draw the SVG alone.
has_png = strstrt(GPVAL_TERMINALS, 'pngcairo') > 0
has_pdf = strstrt(GPVAL_TERMINALS, 'pdfcairo') > 0

set datafile separator "\t"
set encoding utf8
set border 3 lc rgb pale lw 1
set tics nomirror out scale 0.6 textcolor rgb black font ',11'
set grid lc rgb '#e4e8eb' lw 1 lt 1
set key noautotitle
set style fill solid 0.85 noborder
set title heading textcolor rgb black offset 0,-0.3
set label 1000 footer at screen 0.5, screen 0 center offset 0,0.7 textcolor rgb gray font ',11'
set bmargin 5

# Rows of variants from top to bottom, named at the left: `using value:row:…:ytic(label)`.
by_variant = "set yrange [rows-0.5:-0.5]; set grid noytics; set tics scale 0.6; eval sprintf(\"set ytics scale 0 font ',%g'\", exists('row_size') ? row_size : (height-150.0)/rows > 17 ? 12 : 0.7*(height-150.0)/rows); set border 1"

# The lab's own figures say where everything stands: left, right, top, bottom are the edges of the marks, in pixels from
# the upper left corner; notes, symbols and leaders are words, signs and thin lines, with their places.
edges = "set lmargin at screen 1.0*left/width; set rmargin at screen 1.0*right/width; set tmargin at screen 1-1.0*top/height; set bmargin at screen 1-1.0*bottom/height"
words = "do for [i=1:notes] { eval sprintf('set label %d note[%d] at screen %.5f,%.5f %s textcolor rgb %s font \",%g\"', 1000+i, i, 1.0*note_x[i]/width, 1-1.0*note_y[i]/height, note_side[i], note_ink[i], note_size[i]) }"
signs = "do for [i=1:symbols] { eval sprintf('set label %d \"\" at screen %.5f,%.5f point pt %d ps 0.9 lc rgb %s', 2000+i, 1.0*symbol_x[i]/width, 1-1.0*symbol_y[i]/height, symbol[i], symbol_ink[i]) }"
lines = "do for [i=1:leaders] { eval sprintf('set arrow %d from screen %.5f,%.5f to screen %.5f,%.5f nohead lw 0.8 lc rgb %s', 1000+i, 1.0*leader_x[i]/width, 1-1.0*leader_y[i]/height, 1.0*leader_u[i]/width, 1-1.0*leader_v[i]/height, leader_ink[i]) }"
frame = "unset title; set label 999 heading at screen 14.0/width, 1-18.0/height left textcolor rgb black font ',13'; set label 1000 footer at screen 14.0/width, 10.0/height left offset 0,0 textcolor rgb gray font ',11'; set xtics offset 0,0.55; eval edges; eval words; eval signs; eval lines"

# Curves in one panel or in several of the same axes; `do for [p=1:panels] { eval panel; plot … }`. panel_first[p] and
# panel_last[p] are the blocks of data in panel p, panel_x and panel_y whether its axes have words.
sides = "set lmargin at screen 1.0*panel_left[p]/width; set rmargin at screen 1.0*panel_right[p]/width; set tmargin at screen 1-1.0*panel_top[p]/height; set bmargin at screen 1-1.0*panel_bottom[p]/height; eval sprintf(\"set tics font ',%g'\", panel_size)"
panel = "eval sides; eval 'set xtics '.(panel_x[p] ? x_ticks : x_bare); eval 'set ytics '.(panel_y[p] ? y_ticks : y_bare); set xrange [x_low:x_high]; set yrange [y_low:y_high]; if (x_logarithmic) { set logscale x }; if (y_logarithmic) { set logscale y }"
# Only the first panel draws the words around all of them.
panels_begin = "if (panels > 1) { set multiplot }"
panels_next = "if (panels > 1) { unset label; unset arrow }"
panels_end = "if (panels > 1) { unset multiplot }"
