"""The look of what view.py makes, light and dark, from the fonts of the system; and one script."""

from typing import Final

# `light-dark()` follows the theme chosen in the app's menu, not only the system's.
CSS: Final = """<style>
.stApp{--ink:light-dark(#1d2322,#e9e6df);--quiet:light-dark(#565c59,#aab1ae);
--line:light-dark(#d8d3c7,#3a4445);--card:light-dark(#fff,#1a2021);--soft:light-dark(#f1eee7,#1e2526);
--key:light-dark(#1c5b61,#8ccdce);--good:light-dark(#d9ece8,#1d4548);
--against:light-dark(#f9e0d0,#552e1b);--warn:light-dark(#8f3d12,#f0b08c);
--voice:Charter,'Bitstream Charter','Iowan Old Style',Georgia,'DejaVu Serif',serif}
.stApp [data-testid=stMainBlockContainer]{padding-top:5rem}
.stApp textarea:focus-visible{outline:none!important}
.stApp [data-testid=stChatInput]{border-radius:.5rem}
.stApp a:focus-visible,.stApp summary:focus-visible,.stApp button:focus-visible,
.stApp [data-testid=stChatInput]:focus-within{outline:3px solid var(--key)!important;
outline-offset:2px}
.stApp [data-testid=stBaseButton-primary] *{color:light-dark(#fff,#0d2021)}
.er{color:var(--ink);line-height:1.55;overflow-wrap:anywhere}
.er p{margin:0 0 .6rem}.er p:last-child{margin-bottom:0}
.stApp .er dl,.stApp .er ul.scores,.stApp .er ol.ledger{padding-left:0}
.er h1,.er h2,.er h3{font-family:var(--voice);font-weight:600;line-height:1.25;margin:0;padding:0;
color:var(--ink)}
.er .lead{margin-top:.5rem;font-size:1.03rem}
.er h1{font-size:2.1rem}.section{margin-top:1.4rem}
.er h2{font-size:1.45rem}.er h3{font-size:1.15rem}
.er .quiet{color:var(--quiet);font-size:.9rem}.er .lead{max-width:44rem}
.er .pre{white-space:pre-wrap;unicode-bidi:isolate}
.er.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.card h2{font-size:1.3rem}.card .purpose{min-height:4.6em;margin:.5rem 0 .8rem}
.facts{display:grid;grid-template-columns:auto 1fr;gap:.2rem .9rem;margin:0;font-size:.9rem}
.facts dt{color:var(--quiet)}.facts dd{margin:0}
.turn{margin:.2rem 0}
.turn .who{font-weight:600;font-size:.85rem;color:var(--quiet);margin:0 0 .15rem}
.between{display:flex;align-items:center;gap:.8rem;color:var(--quiet);font-size:.85rem}
.between::before,.between::after{content:"";flex:1;border-top:1px solid var(--line)}
.turn .said{font-family:var(--voice);font-size:1.09rem;line-height:1.65;white-space:pre-wrap;
unicode-bidi:isolate}
.turn.you{margin-left:2.5rem;padding:.75rem 1rem;background:var(--soft);border-radius:.5rem;
border:1px solid var(--line)}
.turn .said,.notes dd{max-height:28rem;overflow-y:auto}
.stance{margin:.4rem 0 0;font-size:.85rem;color:var(--quiet)}
.stance b{font-weight:600}
mark.move{color:var(--ink);background:var(--good);border-bottom:2px solid var(--key);
padding:.08em 0;-webkit-box-decoration-break:clone;box-decoration-break:clone}
mark.move.against{background:var(--against);border-bottom:2px dashed var(--warn)}
.tag{font:600 .7rem/1.2 system-ui,sans-serif;white-space:nowrap;user-select:none;
padding:.1rem .35rem;margin:0 .2rem;border-radius:.25rem;border:1px solid var(--key);
color:var(--key);vertical-align:.1em;unicode-bidi:isolate}
.tag.against{border:1px dashed var(--warn);color:var(--warn)}
details.notes{margin:.1rem 0 1rem 2.5rem;padding:0 0 0 1rem;border-left:3px solid var(--line)}
details.notes>summary{font-size:.85rem;color:var(--quiet);cursor:pointer;padding:.15rem 0}
.notes dl{margin:.3rem 0 0}.notes dt{font-weight:600;font-size:.85rem;margin-top:.5rem}
.notes dd{margin:.05rem 0 0;font-size:.97rem;white-space:pre-wrap;unicode-bidi:isolate}
.notes dd.wording{font-family:var(--voice);font-size:1.03rem}
details.why{margin-top:.6rem}details.why>summary{cursor:pointer;font-size:.88rem;color:var(--key);
text-decoration:underline;text-underline-offset:.2em}
blockquote.words{margin:.5rem 0;padding:.1rem 0 .1rem .9rem;border:0;
border-left:3px solid var(--key);font-family:var(--voice);font-size:1.05rem;line-height:1.6;
color:var(--ink);white-space:pre-wrap}
.cite{margin:.2rem 0 .9rem}.cite .from{font-size:.87rem;color:var(--quiet);margin:0}
.er a{color:var(--key);text-decoration:underline;text-underline-offset:.2em}
.notice{border:1px solid var(--warn);border-left-width:4px;border-radius:.35rem;padding:.7rem .9rem;
background:var(--card)}
.notice.calm{border-color:var(--key)}
.outcome{border:1px solid var(--line);border-left:4px solid var(--key);border-radius:.35rem;
padding:1rem 1.1rem;background:var(--card)}
.outcome p{margin:.4rem 0 0}
.scores,.ledger{list-style:none;margin:0;padding:0}
.scores li{display:grid;grid-template-columns:11.5rem 8rem 1fr;gap:.2rem .9rem;padding:.55rem 0;
border-bottom:1px solid var(--line);margin:0}
.scores details.why{grid-column:3;margin:0}
.scores b{font-weight:600}.scores .dots{letter-spacing:.12em;color:var(--key)}
.ledger li{padding:.7rem 0;border-bottom:1px solid var(--line);margin:0}
.ledger .head{display:flex;gap:.8rem;align-items:center;flex-wrap:wrap;margin:0 0 .3rem}
.ledger .trust{position:relative;display:inline-block;width:9rem;height:.55rem;border-radius:.3rem;
background:var(--soft);border:1px solid var(--line);overflow:hidden}
.ledger .trust i{position:absolute;inset:0 auto 0 0;background:var(--key)}
.ledger .step{display:grid;grid-template-columns:3.2rem 1fr;gap:.2rem .5rem;margin:.1rem 0}
.ledger .by{font-variant-numeric:tabular-nums;font-weight:600}.ledger .by.minus{color:var(--warn)}
.plain{margin:0;padding-left:1.1rem}.plain li{margin:.3rem 0}
.layer{padding:.6rem 0;border-bottom:1px solid var(--line)}.layer p{margin:.2rem 0 0}
.article{font-family:var(--voice);font-size:1.1rem;line-height:1.7}
.article li{margin:.3rem 0}.article p{margin:0 0 1rem;white-space:pre-wrap}
.article h2{margin:1.6rem 0 .6rem}
.article mark{background:var(--good);color:var(--ink);border-bottom:2px solid var(--key);
scroll-margin:30vh}
@media (max-width:640px){
.stApp [data-testid=stMainBlockContainer]{padding-left:1rem;padding-right:1rem;padding-top:4.5rem}
.er h1{font-size:1.7rem}.turn.you,details.notes{margin-left:.6rem}.card .purpose{min-height:0}
.scores li{grid-template-columns:1fr auto}.scores .because,
.scores details.why{grid-column:1/-1}}
</style>"""

# Moves the view to the marked words of the article. Allowed by its checksum in the page's policy.
SCROLL: Final = "document.getElementById('here')?.scrollIntoView({block:'center'})"
