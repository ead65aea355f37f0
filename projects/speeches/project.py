"""Can a GRU beat a 5-gram at predicting the next character of a State of the Union?"""

import lzma
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, evaluation, rnn, tokens, training
from models.live import prompt
from scraping import Range, attr, crawl, number, text

# "sandbox" is the practice site. "web" is Wikisource, which has the same speeches: public domain,
# as works of the United States Government. Wikimedia's robot policy asks robots to name a contact
# (`extra.contact` in mkdocs.yml), to ask slowly, and to read the articles' own pages (/wiki/…) and
# not the wiki's programs (/w/…), which its robots.txt closes. Written from its documentation; read
# both again before you try: `folio look` and the start below. Never from Project Gutenberg, whose
# terms keep robots out.
SOURCE = "sandbox"
SITES = {
    "sandbox": {
        "start": "http://sandbox/speeches/",
        "follow": "a.century, a.speech, a.continued",
        "keep": "a.speech, a.continued",
        "speaker": ".by, .heading tr:nth-child(1) td, header time ~ a",
        "year": "h1 .year, .heading tr:nth-child(2) td, time",
        "paragraphs": "article > p",  # the library's notes lie deeper
        "licence": "a.licence",
    },
    "web": {
        "start": "https://en.wikisource.org/wiki/Portal:State_of_the_Union_Speeches_by_United_States_Presidents",
        "follow": "a.none",  # one page lists them all
        "keep": ".mw-parser-output a[href*='State_of_the_Union']",
        "speaker": "#ws-author",  # ws-…: the marks that Wikisource documents for its headers
        "year": "#ws-year",
        "paragraphs": ".mw-parser-output > p",
        "licence": "#footer-info-copyright a",
    },
}
SEEDS = [51, 52, 53, 54, 55]
LENGTH = 5_000  # characters of a speech, from its beginning, so that no president outweighs others
SPOKEN = 1913  # from 1801 until then clerks read out what the president had written
ORDERS = [1, 2, 3, 4, 5, 6, 7]
NGRAMS = [f"ngram{order}" for order in ORDERS]
SMOOTHING = ["kneser-ney", "witten-bell"]
UNITS = 128
STEPS = 100  # characters that an error travels back
EPOCHS = 5
BATCH = 16
LEARNING_RATE = 0.008
ASKED = ["gru", "ngram5", "ngram7"]  # whose errors are looked at
PROMPT = "The people of this "
TEMPERATURES = [0.5, 0.8, 1.0]


@dataclass
class Part:
    """One page: a speech, or a part of a long one."""

    address: str  # the one that counts; a page for printing names another than its own
    speaker: str
    year: Annotated[int, Range(1790, 2030)]
    text: str
    licence: str


def pages():
    """Every speech, century by century, the long ones with their further parts."""
    site = SITES[SOURCE]
    return crawl(site["start"], follow=site["follow"], keep=site["keep"])


def parts(page):
    """One row per page: who spoke, when, and the paragraphs without the library's notes."""
    site = SITES[SOURCE]
    yield Part(
        address=attr(page, "link[rel=canonical]", "href"),
        speaker=text(page, site["speaker"]),
        year=int(number(page, site["year"])),
        text="\n".join(text(each) for each in page.select(site["paragraphs"])),
        licence=text(page, site["licence"]),
    )


def table(parts):
    """One row per speech, its parts joined, pages for printing left out."""
    distinct = parts.drop_duplicates("address")
    key, part = _place(distinct["address"])
    ordered = distinct.assign(speech=key, part=part).sort_values(["year", "speech", "part"])
    whole = ordered.groupby("speech", sort=False)["text"].agg("\n".join).str[:LENGTH]
    first = ordered.drop_duplicates("speech").drop(columns="part")
    return first.assign(text=first["speech"].map(whole), era=_era(first["year"]))


def split(table, seed):
    """Presidents held out whole; of those trained on, some speeches are held out, too."""
    split = evaluation.split_rows(table, by="speaker", test=0.2, validation=0.08, seed=seed)
    known = evaluation.split_rows(split["train"], test=0.1, validation=0, seed=seed)
    split |= {"train": known["train"], "familiar": known["test"]}
    split, removed = evaluation.drop_duplicate_texts(split, "text")
    return split | {"removed": {part: sum(kinds.values()) for part, kinds in removed.items()}}


def copies(parts, table, split):
    """Pages for printing, the speeches without them, and those too like a held-out one, a seed."""
    printed = int(parts["address"].duplicated().sum())
    alike = [sum(of_seed["removed"].values()) for of_seed in split.values()]
    return {"printed": printed, "speeches": len(table), "alike": float(np.mean(alike))}


def network(split, seed):
    """A GRU that reads the training speeches again and again, in windows of 100 characters."""
    vocabulary = _vocabulary(split)
    model = rnn.build("language", vocabulary=vocabulary, units=(UNITS,), embedding=32)
    return training.fit(
        model,
        vocabulary.windows(_texts(split, "train"), STEPS),
        vocabulary.windows(_texts(split, "validation"), 250),  # the test has one beginning a speech
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        schedule="cosine",
        patience=None,
    )


def counts(split, seed):
    """n-grams: each order's bits on validation, and what each held-out character costs it."""
    train, symbols = _texts(split, "train"), _vocabulary(split).symbols
    validation, bits = {}, {}
    for order in ORDERS:
        models = [
            baselines.ngram(train, order=order, smoothing=smoothing, vocabulary=symbols)
            for smoothing in SMOOTHING
        ]
        tried = [float(_bits(model, _texts(split, "validation")).mean()) for model in models]
        validation[order] = tried
        bits[f"ngram{order}"] = _bits(models[int(np.argmin(tried))], _held_out(split)["text"])
    table = pd.DataFrame.from_dict(validation, orient="index", columns=SMOOTHING)
    return {"validation": table.rename_axis("order"), "bits": pd.DataFrame(bits)}


def characters(network, counts, split, seed):
    """One row per held-out character: where it stands, and what it costs each model in bits."""
    vocabulary, held_out = _vocabulary(split), _held_out(split)
    read = np.zeros((len(held_out), 1 + LENGTH), np.int32)  # begins after an unknown symbol
    for row, speech in zip(read, held_out["text"], strict=True):
        row[1 : 1 + len(speech)] = vocabulary.encode(speech)
    said, sure, right = np.zeros((3, len(read), LENGTH), np.float32)
    for at in range(0, len(read), 4):  # a few at a time, to spare memory
        rows = slice(at, at + 4)
        p = network.model.predict_on_batch(read[rows, :-1])
        said[rows], sure[rows] = p.argmax(axis=2), p.max(axis=2)
        right[rows] = np.take_along_axis(p, read[rows, 1:, None], axis=2)[..., 0]
    length = held_out["text"].str.len().to_numpy()
    there = np.arange(LENGTH) < length[:, None]
    rows = held_out.loc[held_out.index.repeat(length), ["part", "speech", "year"]].assign(
        symbol=list("".join(held_out["text"])),
        said=list(vocabulary.decode(said[there].astype(int))),
        confidence=sure[there],
        gru=-np.log2(right[there]),
    )
    rows = rows.reset_index(drop=True)
    return pd.concat([rows.assign(place=_place_in_word(rows)), counts["bits"]], axis=1)


def ageing(split, seed):
    """The 5-gram counted in old or in new speeches, as many of each, and asked for both."""
    train, test = split["train"], split["test"]
    symbols = _vocabulary(split).symbols
    size = train["era"].value_counts().min()
    found = {}
    for counted in ("old", "new"):
        rows = train[train["era"] == counted].sample(size, random_state=seed)
        model = baselines.ngram(rows["text"].tolist(), order=5, vocabulary=symbols)
        for asked in ("old", "new"):
            speeches = test.loc[test["era"] == asked, "text"]
            found[f"{counted}_on_{asked}"] = float(_bits(model, speeches).mean())
    return found


def scores(characters, ageing, split, seed):
    """Bits per character on presidents never read; `familiar`: on new speeches by known ones."""
    test, familiar = (characters[characters["part"] == part] for part in ("test", "familiar"))
    bits = {"xz": _xz(split, "test"), **test[["gru", *NGRAMS]].mean().rename({"ngram1": "unigram"})}
    scores = {model: {"bits": float(each)} for model, each in bits.items()}
    for model in ("gru", "ngram5"):
        scores[model]["blank"] = float(test.loc[test["symbol"] == " ", model].mean())
        scores[model]["familiar"] = float(familiar[model].mean())
        scores[model]["new_speaker"] = scores[model]["bits"] - scores[model]["familiar"]
    scores["ngram5"] |= ageing | {"ageing": ageing["old_on_new"] - ageing["new_on_new"]}
    return scores


def validation(network, counts, split):
    """The same on the presidents that chose epoch and smoothing, over the seeds."""
    bits = {"gru": [trained.curves["val_loss"].min() / np.log(2) for trained in network.values()]}
    bits["xz"] = [_xz(of_seed, "validation") for of_seed in split.values()]
    for order, model in zip(ORDERS, ["unigram", *NGRAMS[1:]], strict=True):
        bits[model] = [float(c["validation"].loc[order].min()) for c in counts.values()]
    return {model: {"bits": evaluation.interval(values)} for model, values in bits.items()}


def orders(counts):
    """Each order with each smoothing on validation, averaged over the seeds."""
    return sum(of_seed["validation"] for of_seed in counts.values()) / len(counts)


def budget(network, validation):
    """Validation bits over what the GRU has read; an n-gram is a line, as it reads only once."""
    read = np.arange(1, EPOCHS + 1)
    runs = pd.DataFrame({seed: t.curves["val_loss"] for seed, t in network.items()}) / np.log(2)
    lines = {f"{n}-gram": validation[f"ngram{n}"]["bits"]["mean"] for n in (3, 4, 5, 7)}
    gru = runs.median(axis=1).to_numpy()

    def draw(axes):
        axes.fill_between(read, runs.min(axis=1), runs.max(axis=1), alpha=0.18, linewidth=0)
        axes.plot(read, gru, "o-", color="C0")
        axes.annotate("GRU", (read[0], gru[0]), (10, 0), textcoords="offset points")
        for name, bits in lines.items():
            axes.hlines(bits, 0.8, EPOCHS + 0.2, color="C1", linestyle=(0, (4, 2)), linewidth=1.4)
            axes.text(EPOCHS + 0.3, bits, name, va="center")
        axes.set_xlim(0.8, EPOCHS + 1.2)
        axes.set_xticks(read)
        axes.set_title("bits per character, validation")
        axes.set_xlabel("times the GRU has read the training speeches")

    told = ", ".join(f"{name} {bits:.2f}" for name, bits in lines.items())
    return figures.from_axes(
        draw,
        data=pd.DataFrame({"reading": read, "gru": gru, **lines}),
        alt=f"Bits per character on validation: the GRU falls from {gru[0]:.2f} after one reading "
        f"to {gru[-1]:.2f} after {EPOCHS}. The n-grams need one: {told}.",
    )


def curves(network):
    """Learning curves in bits, all seeds."""
    losses = {seed: trained.curves[["loss", "val_loss"]] for seed, trained in network.items()}
    bits = {s: (f / np.log(2)).set_axis(["bits", "val_bits"], axis=1) for s, f in losses.items()}
    return figures.learning_curves(bits, "bits")


def comparison(scores):
    """Bits per character of every model on presidents that none has read."""
    names = [*NGRAMS[2:], "xz", "gru"]
    bits = {m: [of_seed[m]["bits"] for of_seed in scores.values()] for m in names}
    return figures.comparison(
        {m: evaluation.interval(b) for m, b in bits.items()}, "bits", best="low"
    )


def groups(characters, seed):
    """Bits by speech, by place in a word and by kind of character, and the surest mistakes."""
    rows = characters[characters["part"] == "test"].reset_index(drop=True)
    symbol = rows["symbol"]
    is_kind = [symbol.str.islower(), symbol.str.isupper(), symbol.str.isdigit(), symbol.eq(" ")]
    kind = np.select(is_kind, ["small letter", "capital", "digit", "blank"], "anything else")
    kinds = rows.groupby(kind)[ASKED].mean().rename_axis("kind")
    kinds.insert(0, "share", pd.Series(kind).value_counts(normalize=True))
    wrong = rows[rows["said"] != symbol].loc[40:].sort_values("confidence")
    worst = wrong.drop_duplicates("speech", keep="last").tail(12).iloc[::-1]
    before = ["".join(symbol[at - 40 : at]) for at in worst.index]
    return {
        "years": rows.groupby(["year", "speech"])[ASKED].mean().reset_index(),
        "places": rows[rows["place"].between(1, 10)].groupby("place")[ASKED].mean(),
        "kinds": kinds,
        "errors": worst.assign(before=before)[
            ["year", "before", "symbol", "said", "confidence", "ngram5"]
        ].set_index("year"),
    }


def by_year(groups):
    """Bits per character of every speech by a president never read, by its year."""
    rows = pd.concat(of_seed["years"] for of_seed in groups.values())
    median = rows.groupby(rows["year"] // 20 * 20 + 10)[["gru", "ngram5"]].median()

    def draw(axes):
        for colour, mark, model in (("C0", "o", "gru"), ("C1", "^", "ngram5")):
            axes.plot(rows["year"], rows[model], mark, color=colour, alpha=0.35, markersize=4)
            axes.plot(median.index, median[model], color=colour, linewidth=2.2, label=model)
        axes.axvline(SPOKEN, color="C4", linestyle=(0, (4, 2)), linewidth=1.4)
        axes.set_title("bits per character")
        axes.set_xlabel("year of the speech")
        axes.legend(loc="upper left")

    told = [f"{m} from {median[m].iloc[0]:.2f} to {median[m].iloc[-1]:.2f}" for m in median]
    alt = f"Bits per character of {len(rows)} speeches by year; medians over twenty years go: "
    return figures.from_axes(draw, data=rows, alt=f"{alt}{', '.join(told)}.")


def places(groups):
    """Bits of a letter by its place in the word, the mean of the seeds."""
    return sum(of_seed["places"] for of_seed in groups.values()) / len(groups)


def kinds(groups):
    """Bits by kind of character: how common each is, and what it costs, the mean of the seeds."""
    table = sum(of_seed["kinds"] for of_seed in groups.values()) / len(groups)
    return table.sort_values("share", ascending=False)


def errors(groups):
    """The mistakes that the GRU of the first seed was surest of, one a speech."""
    return groups[min(groups)]["errors"].replace({" ": "␣", "\n": "¶"})


def samples(network, split):
    """The first text that the first seed wrote at each temperature, and what of it is copied."""
    seed = min(network)
    vocabulary, train = _vocabulary(split[seed]), _texts(split[seed], "train")
    step = rnn.one_step(network[seed].model)
    written = {
        f"GRU at {t}": rnn.generate(step, vocabulary, prompt=PROMPT, temperature=t, seed=seed)
        for t in TEMPERATURES
    }
    counted = baselines.ngram(train, order=5, vocabulary=vocabulary.symbols)
    written["5-gram at 1.0"] = counted.generate(prompt=PROMPT, seed=seed)
    texts = pd.DataFrame({"text": written}).rename_axis("writer")
    return texts.assign(copied=[_copied(each, "\n".join(train)) for each in texts["text"]])


def live(network, split):
    """The network of the first seed, to write on from what a reader begins."""
    seed = min(network)
    return prompt(
        network[seed],
        _vocabulary(split[seed]),
        PROMPT,
        length=300,
        temperature=0.8,
        seed=seed,
        precision="float16",
    )


def _place(addresses):
    """The key of each speech and the number of its part, from addresses such as /…/key/2."""
    found = addresses.str.extract(r"/([^/]+?)(?:/(\d*))?$")
    return found[0], pd.to_numeric(found[1]).fillna(1).astype(int)


def _era(years):
    return np.where(years < SPOKEN, "old", "new")


def _texts(split, part):
    return split[part]["text"].tolist()


def _vocabulary(split):
    """The characters that training speeches have ten times; all others are one, the unknown."""
    return tokens.vocabulary(_texts(split, "train"), rare=10)


def _held_out(split):
    """The speeches that are judged, those of unknown presidents first."""
    parts = [split[part].assign(part=part) for part in ("test", "familiar")]
    return pd.concat(parts, ignore_index=True)


def _bits(model, speeches):
    """What every character of some speeches costs an n-gram, one after the other."""
    return np.concatenate([-np.log2(model.probabilities(speech)) for speech in speeches])


def _xz(split, part):
    """Bits per character that a part adds to the training speeches when they are packed."""
    train, more = "\n".join(_texts(split, "train")), "\n".join(_texts(split, part))
    sizes = [len(lzma.compress(each.encode(), preset=9)) for each in (train, train + more)]
    return 8 * (sizes[1] - sizes[0]) / len(more)


def _place_in_word(rows):
    """1 for a word's first letter, 2 for its second, …; 0 for what is no letter."""
    letters = rows["symbol"].str.isalpha()
    words = (~letters | rows["speech"].ne(rows["speech"].shift())).cumsum()
    return letters.groupby(words).cumsum()


def _copied(text, train):
    """The length of the longest piece of a text that stands in the training speeches."""
    longest = 0
    for at in range(len(text)):
        while at + longest < len(text) and text[at : at + longest + 1] in train:
            longest += 1
    return longest
