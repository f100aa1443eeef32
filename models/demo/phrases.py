# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the demo model knows, and how people say it in six languages.

A concept is a small bag of attributes with weights.  Every attribute has one
fixed direction in the embedding space (see `codes`), and a concept's code is
the unit-length sum of its attributes' directions.  Both towers learn to hit
these codes, so "green" + "ring" lands in the right place although no green
ring was ever shown or named: that is what makes the pairs in UNSEEN work.
"""

import numpy as np

LANGUAGES = ["en", "zh", "fr", "es", "de", "ja"]

# The eight colours that are measured come first; pink and black are extras.
COLOURS = ["red", "orange", "yellow", "green", "cyan", "blue", "purple", "white", "pink", "black"]
MEASURED_COLOURS = COLOURS[:8]
SHAPES = ["circle", "square", "triangle", "star", "cross", "ring"]

# Never drawn, never named and never a wrong answer in training.  One for each
# shape, no colour twice, so that every colour and every shape stays well known.
UNSEEN = [
    ("cyan", "circle"),
    ("yellow", "square"),
    ("blue", "triangle"),
    ("purple", "star"),
    ("orange", "cross"),
    ("green", "ring"),
]

# ---------------------------------------------------------------- concepts

# Shape pictures carry a little of "clear", so that a sharp picture of a red
# circle is closer to "a clear picture" than to "a blurred picture".
SHAPE_CLEAR = 0.35

HEALTH = {
    "bars": {"bars": 1.0},
    "static": {"static": 1.0},
    "black": {"solid": 0.5, "black": 0.8, "dark": 0.35},
    "overexposed": {"over": 1.0, "white": 0.4},
    "white": {"solid": 0.5, "white": 0.7, "over": 0.7},
    "dark": {"dark": 1.0},
    "blurred": {"blur": 1.0},
    "solid red": {"solid": 0.8, "red": 1.0},
    "solid green": {"solid": 0.8, "green": 1.0},
    "solid blue": {"solid": 0.8, "blue": 1.0},
    "solid yellow": {"solid": 0.8, "yellow": 1.0},
    "solid cyan": {"solid": 0.8, "cyan": 1.0},
    "solid magenta": {"solid": 0.8, "purple": 0.7, "pink": 0.7},
    "solid orange": {"solid": 0.8, "orange": 1.0},
    "solid grey": {"solid": 0.8, "grey": 1.0},
    "checkerboard": {"checker": 1.0},
    "gradient": {"gradient": 1.0},
    "concentric": {"concentric": 1.0},
    "ball": {"ball": 1.0, "white": 0.3, "circle": 0.3},
    "clear": {"clear": 1.0},
    "rays": {"rays": 1.0},
    "stripes": {"stripes": 1.0},
    "palette": {"palette": 1.0},
    "broken": {"broken": 1.0},
}

# Concepts beyond the pictures' own: an attribute alone, and "anything else".
TEXT_ONLY = {
    "unknown": {"unknown": 1.0},
    "solid": {"solid": 1.0},
}
for _c in COLOURS:
    TEXT_ONLY["colour " + _c] = {_c: 1.0, "clear": 0.2}
for _s in SHAPES:
    TEXT_ONLY["shape " + _s] = {_s: 1.0, "clear": 0.2}

PAIRS = {}
for _c in COLOURS:
    for _s in SHAPES:
        if (_c, _s) not in UNSEEN:
            PAIRS[_c + " " + _s] = {_c: 1.0, _s: 1.0, "clear": SHAPE_CLEAR}

# What a picture can be; the order is the class number used in training.
PICTURE_CONCEPTS = list(HEALTH) + list(PAIRS)
CONCEPTS = {**HEALTH, **PAIRS, **TEXT_ONLY}

# Pictures of half a pair: a known shape in a colour that has no name here, a known
# colour on a shape that has none.  They keep the image tower from concluding that
# what is green cannot be a ring because it never was.
HALVES = ["shape " + s for s in SHAPES] + ["colour " + c for c in COLOURS]
TAUGHT = PICTURE_CONCEPTS + HALVES

ATTRIBUTES = sorted({a for bag in CONCEPTS.values() for a in bag})


def codes(dimensions, seed=7):
    """Attribute directions: orthonormal rows, one per attribute."""
    generator = np.random.default_rng(seed)
    square = generator.standard_normal((dimensions, dimensions))
    return np.linalg.qr(square)[0][: len(ATTRIBUTES)].astype(np.float32)


def concept_code(bag, directions):
    total = sum(weight * directions[ATTRIBUTES.index(a)] for a, weight in bag.items())
    return total / np.linalg.norm(total)


# ---------------------------------------------------------------- health words

# For each concept and language: noun phrases (which templates may wrap) and,
# after the "|", whole sentences (which stand alone).  Phrases part at ";".
HEALTH_WORDS = {
    "bars": {
        "en": "colored vertical bars;vertical bars in several colours;a bars pattern;a colour test pattern;coloured vertical stripes of a test card;bars;colour bars;color bars;SMPTE bars;SMPTE colour bars;SMPTE color bars;a test card;the test card;a test pattern;a colour bar test pattern;a color bar test pattern;a TV test card;television colour bars;vertical colour bars;EBU colour bars;a test chart;coloured bars;colored bars;a colour bars test signal;rainbow bars;a TV test pattern|color bars are shown;the camera sends colour bars;colour bars on the screen",
        "zh": "电视彩条信号;竖直的彩色条;彩色测试图案;彩条;彩色条纹;彩条信号;彩条测试图;测试卡;测试图;电视彩条;SMPTE彩条;标准彩条;彩色竖条;彩色条;电视测试图;测试图案;彩条图;彩条画面;彩条图案;测试画面;彩色测试条|屏幕上是彩条;画面显示彩条;屏幕显示彩条;出现彩条",
        "fr": "une mire de barres colorées;la mire de télévision;mire TV;des bandes de couleur verticales;barres de test;une mire de barres;barres de couleur;des barres de couleur;les barres de couleurs;une mire;la mire;une mire de couleurs;mire de télévision;des barres colorées;barres SMPTE;une mire de test;une mire de réglage;barres verticales de couleur;mire de barres couleur|la caméra montre une mire;des barres de couleur à l'écran",
        "es": "barras de televisión;carta de ajuste de televisión;barras de prueba;franjas verticales de colores;barras de color de prueba;barras de color;barras de colores;unas barras de colores;las barras de color;una carta de ajuste;la carta de ajuste;barras SMPTE;un patrón de prueba;patrón de barras de color;barras de prueba de televisión;barras verticales de colores;señal de barras;una imagen de prueba con barras|se ven barras de colores;barras de colores en la pantalla",
        "de": "bunte Streifen eines Testbilds;TV-Testbild;Balken in Farbe;vertikale Farbbalken;Farbtestbild;Farbbalken;ein Testbild;das Testbild;farbige Balken;ein Farbbalken-Testbild;SMPTE-Farbbalken;Fernsehtestbild;ein Fernseh-Testbild;bunte Balken;senkrechte Farbbalken;ein Farbbalkentestbild;die Farbbalken;Testbild mit Farbbalken;SMPTE-Balken|das Bild zeigt Farbbalken;Farbbalken auf dem Bildschirm;die Kamera zeigt ein Testbild",
        "ja": "テレビのテストパターン;カラーバーの映像;縦の色の帯;テスト用カラーバー;カラーバー;テストパターン;テストカード;SMPTEカラーバー;カラーバーのテスト画面;テレビのカラーバー;色のバー;縦のカラーバー;テスト画像;試験電波のカラーバー;カラーバー信号;カラーバー画面;テスト信号|カラーバーが表示されている;カラーバーが映っている;画面はカラーバーです",
    },
    "static": {
        "en": "snow noise;noise on the screen;television noise;a noisy picture;analog TV snow;salt and pepper noise;static noise;static;TV static;television static;snow;TV snow;television snow;white noise;random noise;noise;analogue noise;analog noise;a snowy screen;video noise;a noisy screen with no signal;black and white noise;a screen full of static;noise and snow;signal noise;visual noise;grainy static|no signal, only noise;the screen shows static;nothing but snow;the picture is only noise;static on the screen;lost signal with snow",
        "zh": "电视雪花点;雪花噪声画面;满屏雪花点;雪花;噪点;雪花噪点;电视雪花;雪花屏;静态噪声;噪声;白噪声;随机噪声;雪花点;无信号雪花;满屏雪花;画面噪点;噪声画面;雪花画面;满屏噪点;电视噪声;噪点画面;静电噪声;噪音;雪花噪声|屏幕上都是雪花;画面全是噪点;没有信号，只有雪花",
        "fr": "bruit de télévision;bruit d'image;neige sur la télévision;un écran de bruit;du bruit visuel;de la neige;la neige;du bruit;bruit blanc;neige télévisuelle;de la neige à l'écran;bruit statique;du bruit statique;de la neige sur l'écran;parasites;des parasites;bruit vidéo;bruit aléatoire;un écran de neige;neige de télévision;un écran brouillé|pas de signal, seulement de la neige;l'écran est plein de neige;l'image n'est que du bruit",
        "es": "ruido de la televisión;pantalla con ruido;ruido en la imagen;nieve televisiva;una imagen con ruido;nieve;ruido;ruido estático;estática;nieve de televisión;ruido blanco;ruido aleatorio;una pantalla con nieve;nieve en la pantalla;estática de televisión;interferencias;ruido de vídeo;ruido de señal;la nieve del televisor;ruido visual;ruido de televisión|sin señal, solo nieve;la pantalla está llena de nieve;solo se ve ruido",
        "de": "weißes Bildrauschen;Rauschen im Fernseher;ein Bildschirm voller Rauschen;analoges Rauschen;Rauschbild;Rauschen;Bildrauschen;Schnee;Fernsehschnee;weißes Rauschen;statisches Rauschen;ein verrauschter Bildschirm;Fernsehrauschen;TV-Rauschen;Schneegestöber;Schnee auf dem Bildschirm;zufälliges Rauschen;Videorauschen;Ameisenkrieg;ein rauschendes Bild|kein Signal, nur Rauschen;das Bild rauscht;der Bildschirm zeigt nur Schnee;nur Rauschen",
        "ja": "テレビノイズ;アナログノイズ;砂あらし;ノイズだらけの画面;砂嵐;ノイズ;静的ノイズ;スノーノイズ;ホワイトノイズ;テレビの砂嵐;ランダムノイズ;ノイズ画面;砂嵐の画面;画面のノイズ;静電ノイズ;スタティックノイズ;白黒のノイズ;雑音;映像ノイズ;テレビのノイズ|信号がなく砂嵐だけ;画面が砂嵐になっている;ノイズしか映っていない;画面全体がノイズ",
    },
    "black": {
        "en": "a dark black screen;an empty black screen;a black display;a totally black image;a blank screen that is black;a black screen;black screen;a black picture;a black frame;a blank black screen;a completely black picture;an all black image;pure black;black video;total blackness;a fully black image;a plain black screen;a solid black screen;blackness;no picture, only black;nothing but black|the screen is black;the picture is black;the screen has gone black;the image is completely black;the lens is covered;everything is black",
        "zh": "黑色的图像;黑色图像;屏幕全黑;黑屏;黑色画面;黑色屏幕;全黑画面;纯黑画面;一片漆黑;黑色的屏幕;黑画面;黑场;全黑;纯黑色;全黑的屏幕;一片黑色;纯黑屏幕;黑色的画面;一个黑屏;完全黑的画面|屏幕是黑的;画面全黑;屏幕黑了;镜头被遮住了;画面是黑色的",
        "fr": "cadre noir;une image noire unie;un écran tout noir;une image complètement noire;fond noir;un écran noir;écran noir;une image noire;une image toute noire;l'écran noir;un noir complet;une image entièrement noire;noir total;du noir;un écran complètement noir;une vidéo noire;un cadre noir|l'écran est noir;l'image est noire;l'objectif est couvert;tout est noir",
        "es": "cuadro negro;todo negro;una pantalla apagada;fondo negro;una imagen negra completa;una pantalla negra;pantalla negra;una imagen negra;pantalla en negro;la pantalla negra;una imagen completamente negra;negro total;imagen totalmente negra;vídeo en negro;un cuadro negro;una pantalla toda negra;pantalla completamente negra|la pantalla está negra;la imagen está en negro;el objetivo está tapado;todo está negro;la pantalla está en negro",
        "de": "Bildschirm schwarz;schwarzer Schirm;ein dunkler schwarzer Bildschirm;schwarzer Hintergrund;ganz schwarz;ein schwarzer Bildschirm;schwarzer Bildschirm;ein schwarzes Bild;Schwarzbild;ein komplett schwarzes Bild;der schwarze Bildschirm;alles schwarz;ein ganz schwarzer Bildschirm;reines Schwarz;völlig schwarz;ein völlig schwarzes Bild;schwarze Fläche|der Bildschirm ist schwarz;das Bild ist schwarz;die Linse ist abgedeckt;alles ist schwarz",
        "ja": "黒い画像;黒い背景だけの画面;黒のスクリーン;真っ黒な画像;黒い画面;真っ黒な画面;黒画面;真っ黒;ブラックスクリーン;黒い映像;真っ黒な映像;黒一色の画面;黒一色;ブラックアウト;全面黒;真っ黒なスクリーン;黒いスクリーン;暗転した画面;真っ黒の画面|画面が真っ黒です;画面が黒い;レンズが覆われている;何も映っていない黒い画面",
    },
    "overexposed": {
        "en": "a bright, washed-out image;an image with too much light;a too bright picture;an overexposed picture;overexposed;an overexposed image;a washed-out picture;a blown-out picture;a picture that is too bright;overexposure;an over-exposed picture;a much too bright image;blown highlights;a glaring picture;an overexposed photo;an overexposed scene;an overexposed frame|the picture is overexposed;the image is too bright;the exposure is too high;the camera is overexposed",
        "zh": "太亮的图像;光线过强的画面;过度曝光;曝光过度的画面;过曝;过曝画面;曝光过度;过亮的画面;太亮的画面;过曝的图像;过度曝光的画面;曝光过度的图像;过度曝光的图片;过度曝光的照片|画面太亮了;画面过曝;曝光太强;画面曝光过度",
        "fr": "une image suréclairée;une image avec trop de lumière;une image surexposée;surexposée;surexposition;image surexposée;une image trop claire;une image trop lumineuse;une photo surexposée;une scène surexposée;une image brûlée;l'image surexposée;une image délavée|l'image est surexposée;l'image est trop claire;trop de lumière",
        "es": "una imagen muy clara y quemada;foto sobreexpuesta;una imagen sobreexpuesta;sobreexpuesta;sobreexposición;imagen sobreexpuesta;una imagen demasiado clara;una imagen demasiado brillante;una foto sobreexpuesta;una escena sobreexpuesta;una imagen quemada;imagen con demasiada luz;una imagen con exceso de luz|la imagen está sobreexpuesta;la imagen es demasiado clara;hay demasiada luz",
        "de": "ein Bild mit zu viel Licht;ein ausgefressenes Bild;ein überbelichtetes Bild;überbelichtet;Überbelichtung;überbelichtetes Bild;ein zu helles Bild;ein viel zu helles Bild;ein überbelichtetes Foto;eine überbelichtete Szene;ein ausgebranntes Bild;das überbelichtete Bild|das Bild ist überbelichtet;das Bild ist zu hell;zu viel Licht",
        "ja": "白く飛んだ画像;明るすぎる映像;露出オーバー;露出オーバーの画像;白飛び;白飛びした画像;明るすぎる画像;白飛びした映像;露出過多;露出オーバーの映像;明るすぎる画面;露光過多の画像;白とびした写真;白飛びした画面|画像が明るすぎる;白飛びしている;露出が高すぎる",
    },
    "white": {
        "en": "a bright white screen;an empty white screen;a white display;a totally white image;a white screen;white screen;a white picture;a blank white screen;an all white image;pure white;a completely white picture;a white frame;a plain white screen;a solid white screen;a fully white image;a white or overexposed picture|the screen is white;the picture is white;everything is white;the image is completely white",
        "zh": "白色的图像;白色图像;全白屏幕;白屏;白色画面;白色屏幕;全白画面;纯白画面;一片白色;白色的屏幕;白画面;纯白色;全白;纯白屏幕;白色的画面;一个白屏;完全白的画面;白色或过曝的画面|屏幕是白的;画面全白;画面是白色的;屏幕全白",
        "fr": "cadre blanc;une image blanche unie;un écran tout blanc;une image complètement blanche;fond blanc;un écran blanc;écran blanc;une image blanche;une image toute blanche;l'écran blanc;un blanc complet;une image entièrement blanche;blanc pur;un écran complètement blanc;une image blanche ou surexposée|l'écran est blanc;l'image est blanche;tout est blanc",
        "es": "cuadro blanco;todo blanco;fondo blanco;una imagen blanca completa;una pantalla blanca;pantalla blanca;una imagen blanca;pantalla en blanco;la pantalla blanca;una imagen completamente blanca;blanco puro;imagen totalmente blanca;una pantalla toda blanca;una imagen blanca o sobreexpuesta|la pantalla está blanca;la imagen está en blanco;todo está blanco;la pantalla está en blanco",
        "de": "Bildschirm weiß;weißer Schirm;ein heller weißer Bildschirm;weißer Hintergrund;ganz weiß;ein völlig weißes Bild;ein weißer Bildschirm;weißer Bildschirm;ein weißes Bild;Weißbild;ein komplett weißes Bild;der weiße Bildschirm;alles weiß;ein ganz weißer Bildschirm;reines Weiß;weiße Fläche;ein weisser Bildschirm;ein weißes oder überbelichtetes Bild|der Bildschirm ist weiß;das Bild ist weiß;alles ist weiß",
        "ja": "白い画像;白い背景だけの画面;白のスクリーン;真っ白な画像;白い画面;真っ白な画面;白画面;真っ白;ホワイトスクリーン;白い映像;真っ白な映像;白一色の画面;白一色;全面白;真っ白の画面;白いスクリーン;真っ白なスクリーン;白いまたは露出オーバーの画面|画面が真っ白です;画面が白い;真っ白で何も見えない",
    },
    "dark": {
        "en": "a very dark picture;a dim image;a gloomy picture;a badly lit picture;a dark frame;an image with low light;a dark picture;a dark image;an underexposed picture;a very dark scene;a dim picture;underexposed;a poorly lit scene;low light;a picture that is too dark;a dark scene;a dark photo;a dimly lit picture;night with little light;an underexposed image;a murky dark picture|the picture is too dark;the image is dark;it is too dark to see;the camera is underexposed;there is too little light",
        "zh": "很暗的画面;光线不足的画面;很暗的图片;暗画面;昏暗的画面;暗的画面;曝光不足的画面;太暗的画面;光线不足;画面昏暗;很暗的图像;昏暗的场景;欠曝画面;曝光不足;暗淡的画面;偏暗的画面;阴暗的画面;昏暗的图像;黑暗的画面;光线昏暗;较暗的画面|画面太暗了;画面很暗;光线太暗;图像太暗",
        "fr": "une image peu éclairée;une image mal éclairée;une vidéo sombre;une image assombrie;une image obscure;une image sombre;image sombre;une image sous-exposée;sous-exposition;une scène sombre;une image trop sombre;une photo sombre;une scène mal éclairée;faible lumière;l'image sombre;une image très sombre;sous-exposée|l'image est trop sombre;l'image est sombre;il fait trop sombre;il n'y a pas assez de lumière",
        "es": "imagen con poca luz;una imagen poco iluminada;una imagen mal iluminada;un vídeo oscuro;una imagen oscura;imagen oscura;una imagen subexpuesta;subexposición;una escena oscura;una imagen demasiado oscura;una foto oscura;una escena mal iluminada;poca luz;la imagen oscura;una imagen muy oscura;subexpuesta|la imagen es demasiado oscura;la imagen está oscura;está muy oscuro;falta luz",
        "de": "ein schwach beleuchtetes Bild;ein schlecht beleuchtetes Bild;ein finsteres Bild;ein dunkles Video;ein dunkles Bild;dunkles Bild;ein unterbelichtetes Bild;Unterbelichtung;eine dunkle Szene;ein zu dunkles Bild;ein dunkles Foto;eine schlecht beleuchtete Szene;wenig Licht;das dunkle Bild;ein sehr dunkles Bild;unterbelichtet;ein düsteres Bild|das Bild ist zu dunkel;das Bild ist dunkel;es ist zu dunkel;zu wenig Licht",
        "ja": "暗い風景;光の足りない画像;とても暗い画面;暗い絵;暗い画像;暗い画面;暗い映像;露出不足の画像;露出不足;暗い場面;暗すぎる画像;薄暗い画像;光量不足;暗い写真;薄暗い映像;暗いシーン;とても暗い画像;アンダー露出|画像が暗すぎる;画面が暗い;暗くてよく見えない;光が足りない",
    },
    "blurred": {
        "en": "a blurry frame;an out of focus image;blurry video;an unfocused picture;motion blur;a blurred picture;a blurry picture;a blurred image;an out-of-focus picture;a blurry image;out of focus;blur;blurry;blurred;a defocused image;an unsharp picture;a blurry photo;a fuzzy picture;a soft, unfocused image;a blurry scene;a picture that is out of focus;a smeared image|the picture is blurred;the image is out of focus;the camera is out of focus;the lens is not focused;the picture is blurry",
        "zh": "图像模糊;失焦的图像;模糊的视频;模糊的画面;模糊的图像;模糊;失焦的画面;画面模糊;对焦不准;失焦;不清晰的画面;虚焦;模糊的图片;模糊的照片;模糊不清的画面;虚化的画面;模糊画面;没有对焦的画面|画面很模糊;图像模糊了;镜头没有对焦;画面失焦;画面不清楚",
        "fr": "une vidéo floue;une image brouillée;une image mal mise au point;une image défocalisée;une image floue;image floue;du flou;une image pas nette;une photo floue;une image hors de mise au point;flou;hors foyer;l'image floue;une scène floue;une image très floue;un flou|l'image est floue;la caméra n'est pas au point;la mise au point est mauvaise;tout est flou",
        "es": "una imagen con desenfoque;un vídeo borroso;imagen desenfocada;una imagen emborronada;una imagen borrosa;imagen borrosa;una imagen desenfocada;borroso;desenfoque;una foto borrosa;una imagen fuera de foco;desenfocada;la imagen borrosa;una escena borrosa;una imagen poco nítida;una imagen difuminada|la imagen está borrosa;la cámara está desenfocada;la imagen está desenfocada;está fuera de foco",
        "de": "eine verschwommene Aufnahme;verschwommenes Bild;ein Bild ohne Schärfe;ein unscharfes Video;ein unscharfes Bild;unscharfes Bild;ein verschwommenes Bild;Unschärfe;unscharf;verschwommen;ein unfokussiertes Bild;ein unscharfes Foto;das unscharfe Bild;eine unscharfe Szene;ein defokussiertes Bild;ein verwaschenes Bild|das Bild ist unscharf;die Kamera ist nicht scharf gestellt;das Bild ist verschwommen;der Fokus stimmt nicht",
        "ja": "焦点のぼけた画像;ぼけた写真;ブレた画像;ピントの合っていない映像;ぼやけた画像;ぼけた画像;ピンぼけ;ピンぼけの画像;ぼやけた画面;ぼやけた映像;不鮮明な画像;焦点の合っていない画像;ピントが合っていない画像;ボケた画像;ピンボケ;ぼけた映像;ぼんやりした画像;ピントのずれた映像|画像がぼやけている;ピントが合っていない;焦点が合っていない;画面がぼやけている",
    },
    "checkerboard": {
        "en": "a chess board;a checker pattern;a check pattern;a checkered board;a checkerboard;checkerboard;a chessboard;a chequerboard;a checkered pattern;a chequered pattern;a checkerboard pattern;checkers;a chessboard pattern;a pattern of squares;alternating squares;a checked pattern;a black and white checkerboard;a red and green checkerboard|the screen shows a checkerboard",
        "zh": "棋盘格子;棋盘格图像;国际象棋盘;棋盘格;棋盘;棋盘图案;棋盘格图案;方格图案;格子图案;黑白格;黑白棋盘;国际象棋棋盘;方格;棋盘状图案;格子;棋盘格画面;红绿棋盘格|屏幕上是棋盘格",
        "fr": "un motif d'échiquier;un motif quadrillé;un damier rouge et vert;un damier;damier;un échiquier;un motif en damier;motif à carreaux;des carreaux;un motif de damier;l'échiquier;un damier noir et blanc;un quadrillage de carrés alternés;le damier|l'écran montre un damier",
        "es": "un tablero;un patrón de damero;un tablero de ajedrez rojo y verde;un tablero de ajedrez;tablero de ajedrez;un damero;un patrón de ajedrez;cuadros;un patrón de cuadros;patrón a cuadros;tablero de damas;un ajedrezado;patrón ajedrezado;un tablero a cuadros|la pantalla muestra un tablero de ajedrez",
        "de": "ein Schachbrett-Muster;ein Karo;Schachmuster;ein Schachbrett;Schachbrett;ein Schachbrettmuster;Schachbrettmuster;ein Karomuster;kariert;ein kariertes Muster;ein Würfelmuster;das Schachbrett;abwechselnde Quadrate;ein schwarz-weißes Schachbrett|der Bildschirm zeigt ein Schachbrett",
        "ja": "チェスボード;チェッカー;市松柄;赤と緑の市松模様;チェッカーボード;市松模様;チェック柄;チェス盤;格子模様;市松;チェッカー模様;チェス盤の模様;白黒の市松模様;碁盤目模様;チェッカーパターン;格子柄|市松模様が映っている",
    },
    "gradient": {
        "en": "a gray gradient;a brightness gradient;a ramp;a grayscale ramp;a fade from black to white;a gradient;gradient;a colour gradient;a color gradient;a smooth gradient;a grey ramp;a gray ramp;a smooth ramp from black to white;a smooth colour transition;a gradual change from dark to light;a grayscale gradient;a vertical gradient;a linear gradient;a black to white gradient;shading|the screen shows a gradient",
        "zh": "灰色渐变;亮度渐变;黑到白的渐变;渐变;渐变色;颜色渐变;灰度渐变;平滑渐变;渐变图案;黑白渐变;渐变背景;从黑到白的渐变;色彩渐变;渐变画面;渐变的画面;线性渐变;一个渐变|画面是渐变色",
        "fr": "un dégradé noir et blanc;un fondu du noir au blanc;dégradé gris;un dégradé;dégradé;un dégradé de couleurs;un dégradé de gris;une rampe de gris;un dégradé du noir au blanc;dégradé lisse;un gradient;le dégradé;un dégradé vertical;un dégradé progressif|l'écran montre un dégradé",
        "es": "un gradiente gris;un degradado de blanco a negro;un degradado suave;un degradado;degradado;un gradiente;un degradado de color;un degradado de gris;una rampa de grises;degradado de negro a blanco;gradiente suave;el degradado;un degradado vertical;un gradiente de color|la pantalla muestra un degradado",
        "de": "ein grauer Verlauf;ein Übergang von Schwarz zu Weiß;ein Grauwertverlauf;ein Farbverlauf;Farbverlauf;ein Verlauf;ein Grauverlauf;ein Helligkeitsverlauf;ein Verlauf von Schwarz nach Weiß;Gradient;ein sanfter Verlauf;der Farbverlauf;ein Graukeil;ein weicher Farbverlauf|der Bildschirm zeigt einen Farbverlauf",
        "ja": "灰色のグラデーション;明るさのグラデーション;白から黒へのグラデーション;グラデーション;色のグラデーション;白黒のグラデーション;グレースケールのグラデーション;なめらかなグラデーション;グラデーション画像;黒から白へのグラデーション;階調;カラーグラデーション;縦のグラデーション;グラデーションの画面|グラデーションが表示されている",
    },
    "concentric": {
        "en": "a concentric circle pattern;circles with the same centre;circular ripples;rings;concentric circles;concentric rings;circles inside circles;a bullseye pattern;many rings around one centre;many rings around one center;a circular test pattern;a zone plate;ripples;circular waves;a target pattern;nested circles;a pattern of concentric circles;circular rings around the middle|concentric circles on the screen",
        "zh": "同心的圆;多个同心圆;圆形测试图;同心圆;同心圆图案;同心环;一圈一圈的圆;圆形波纹;同心圆环;波带片;靶心图案;环形图案;许多同心圆;同心圆画面;圆环波纹;环形波纹|屏幕上是同心圆",
        "fr": "cercles imbriqués;un motif circulaire;des cercles de même centre;des cercles concentriques;cercles concentriques;des anneaux concentriques;anneaux concentriques;une cible;un motif de cercles concentriques;des ondes circulaires;des cercles emboîtés;les cercles concentriques;une mire circulaire|cercles concentriques à l'écran",
        "es": "círculos con el mismo centro;ondas concéntricas;un patrón de círculos;círculos concéntricos;unos círculos concéntricos;anillos concéntricos;una diana;un patrón de círculos concéntricos;ondas circulares;círculos dentro de círculos;los círculos concéntricos;un patrón circular;patrón de anillos|círculos concéntricos en la pantalla",
        "de": "ineinander liegende Kreise;Kreise mit gleichem Mittelpunkt;kreisförmiges Muster;konzentrische Kreise;konzentrische Ringe;Kreise ineinander;eine Zielscheibe;ein Muster aus konzentrischen Kreisen;kreisförmige Wellen;die konzentrischen Kreise;ein kreisförmiges Testmuster;eine Zonenplatte;viele Kreise um einen Mittelpunkt|konzentrische Kreise auf dem Bildschirm",
        "ja": "同心円状の模様;中心が同じ円;円形の模様;同心円;同心円の模様;同心円のパターン;同心の輪;円形の波紋;波紋;何重もの円;同心円模様;ゾーンプレート;たくさんの同心円;円形のテストパターン;的の模様|同心円が表示されている",
    },
    "ball": {
        "en": "a ball on a dark background;a white ball on a black screen;a white ball in the dark;a flying ball;a ball on black;a white ball on a black background;a ball on a black background;a moving ball;a white ball;a bouncing ball;a small white ball on black;a ball;a small ball in the dark;the ball;a white dot on a black screen;a white ball moving on a black background;a ball moving on a black screen|a ball moves across a black screen",
        "zh": "黑背景上的白球;白色的球;黑色屏幕上的球;黑色背景中的白球;黑底上的球;黑色背景上的白球;黑色背景上的球;移动的球;白色小球;白球;小球;黑屏上的小球;一个球;运动的白球;黑色背景上的白色小球;弹跳的球;黑色背景上移动的球;球|一个球在黑色背景上移动",
        "fr": "une balle sur un écran noir;un ballon blanc sur fond noir;une balle sur du noir;une boule;une balle blanche en mouvement;une balle sur fond noir;une balle blanche sur fond noir;une boule blanche sur fond noir;une balle blanche;une balle qui bouge;une boule sur fond noir;une balle;la balle;une petite balle blanche sur noir;une balle en mouvement;une balle qui rebondit;une bille blanche sur fond noir|une balle bouge sur un fond noir",
        "es": "bola sobre negro;una bola sobre negro;una pelota sobre una pantalla negra;pelota blanca en movimiento;bola en movimiento;una pelota sobre fondo negro;una bola blanca sobre fondo negro;una pelota blanca;una bola sobre fondo negro;una bola blanca;una pelota en movimiento;una pelota;la pelota;una bola;una pelota blanca sobre negro;una pequeña bola blanca;una pelota que rebota;una bola en fondo negro|una pelota se mueve sobre un fondo negro",
        "de": "weißer Ball auf Schwarz;ein Ball auf schwarzem Grund;ein fliegender weißer Ball;eine weiße Kugel;Ball auf Schwarz;ein Ball auf Schwarz;ein weißer Ball auf schwarzem Hintergrund;ein Ball auf schwarzem Hintergrund;ein weißer Ball;eine weiße Kugel auf schwarzem Grund;ein bewegter Ball;ein Ball;der Ball;eine Kugel auf Schwarz;ein kleiner weißer Ball;ein springender Ball;ein Ball vor schwarzem Hintergrund|ein Ball bewegt sich auf schwarzem Grund",
        "ja": "黒い背景の白い玉;黒地の白い球;黒い背景の玉;白い球;動く白い玉;黒い背景のボール;黒い背景に白いボール;黒地に白いボール;動くボール;白いボール;黒地のボール;ボール;小さな白いボール;黒い画面の白い球;黒い背景の球;黒背景のボール;跳ねるボール;黒い背景上のボール|黒い背景でボールが動いている",
    },
    "clear": {
        "en": "an everyday street scene;a street;a regular scene;a picture without faults;a fine picture;a normal, clear picture;a clear picture;an ordinary scene;a normal picture;a sharp picture;a healthy picture;a good picture;a clear image;an ordinary picture;a normal scene;a sharp, well-lit picture;a clear and sharp image;a well-exposed picture;a normal camera picture;an everyday scene;a sharp image;a natural scene;a landscape;a clean picture;a normal video;something ordinary|the picture is fine;the camera works;the image is clear;everything is normal;the picture is sharp",
        "zh": "正常清晰的画面;街景;没有问题的画面;清晰的画面;普通场景;正常的画面;清晰的图像;正常画面;清晰画面;普通的画面;画面正常;日常场景;清楚的画面;正常的场景;清晰的图片;普通的场景;良好的画面;一般的场景;锐利的画面;风景|画面很清晰;摄像头正常;画面没有问题;一切正常",
        "fr": "une image claire et nette;une scène de rue;une scène de tous les jours;une image sans défaut;une image nette;une scène ordinaire;une image normale;une image claire;une bonne image;image nette;une scène normale;une image nette et claire;une image bien exposée;une scène quotidienne;une image ordinaire;un paysage|l'image est nette;l'image est bonne;la caméra fonctionne;tout est normal",
        "es": "una escena de calle;una imagen sin fallos;una escena cotidiana normal;una imagen nítida;una escena normal;una imagen normal;una imagen clara;una buena imagen;imagen nítida;una escena corriente;una imagen clara y nítida;una imagen bien expuesta;una escena cotidiana;una escena ordinaria;un paisaje|la imagen es nítida;la imagen está bien;la cámara funciona;todo es normal",
        "de": "eine Straßenszene;ein Bild ohne Fehler;eine ganz normale Szene;ein klares Bild;eine gewöhnliche Szene;ein normales Bild;ein scharfes Bild;ein gutes Bild;klares Bild;eine normale Szene;ein klares und scharfes Bild;ein gut belichtetes Bild;eine alltägliche Szene;ein gewöhnliches Bild;eine Landschaft|das Bild ist scharf;das Bild ist in Ordnung;die Kamera funktioniert;alles ist normal",
        "ja": "街の風景;問題のない画像;日常のシーン;きれいで鮮明な映像;鮮明な画像;普通の場面;正常な画像;はっきりした画像;きれいな画像;正常な映像;普通の風景;鮮明な映像;日常の風景;普通の画像;正常な画面;クリアな画像;くっきりした画像;通常のシーン;普通のシーン|画像は正常です;カメラは正常に動いている;画像が鮮明だ;はっきり映っている",
    },
    "rays": {
        "en": "a pinwheel;spokes;rays from the centre;rays from the center;a starburst pattern;radial lines;a sunburst;radial stripes;lines from the middle outwards;wheel spokes;a Siemens star|rays on the screen",
        "zh": "放射线;风车图案;辐条;放射状条纹;从中心发出的射线;放射状线条;车轮辐条;放射状图案;辐射状线条",
        "fr": "des rayons;un moulinet;des lignes radiales;des rayons depuis le centre;rayures radiales;des rayons de roue;un motif rayonnant;lignes partant du centre",
        "es": "rayos desde el centro;un molinete;líneas radiales;radios de una rueda;rayas radiales;unos radios;un patrón radial;líneas que salen del centro",
        "de": "Strahlen von der Mitte;ein Windrad;Speichen;radiale Linien;ein Siemensstern;radiale Streifen;ein Strahlenmuster;Linien von der Mitte nach außen",
        "ja": "放射線模様;風車;スポーク;放射状の線;中心から広がる線;放射状の縞;車輪のスポーク;放射状の模様",
    },
    "stripes": {
        "en": "stripes;horizontal stripes;vertical stripes;a striped pattern;a white bar on black;bands;horizontal bands;black and white stripes;a vertical bar;lines across the picture;a pattern of stripes;diagonal stripes|the picture is striped",
        "zh": "条纹;横条纹;竖条纹;黑白条纹;水平条纹;垂直条纹;条纹图案;横条;黑底白条;斜条纹;一道竖条",
        "fr": "des rayures;rayures horizontales;rayures verticales;un motif rayé;des bandes;bandes horizontales;une barre blanche sur fond noir;rayures noires et blanches;des rayures diagonales",
        "es": "rayas;rayas horizontales;rayas verticales;un patrón de rayas;franjas;franjas horizontales;una barra blanca sobre negro;rayas blancas y negras;rayas diagonales",
        "de": "Streifen;waagerechte Streifen;senkrechte Streifen;ein Streifenmuster;gestreift;horizontale Streifen;ein weißer Balken auf Schwarz;schwarz-weiße Streifen;diagonale Streifen",
        "ja": "縞模様;横縞;縦縞;ストライプ;白黒の縞;水平の縞;垂直の縞;黒地に白い棒;ボーダー柄;斜めの縞",
    },
    "palette": {
        "en": "a colour palette;a color palette;a grid of many colours;a grid of many colors;a colour chart;a color chart;many small coloured tiles;colour swatches;a mosaic of colours|many colours in a grid",
        "zh": "调色板;色卡;色板;许多颜色的网格;彩色格子;色彩网格;多种颜色的方块",
        "fr": "une palette de couleurs;un nuancier;une grille de couleurs;une charte de couleurs;une mosaïque de couleurs;palette de couleurs",
        "es": "una paleta de colores;una carta de colores;una cuadrícula de colores;un muestrario de colores;un mosaico de colores;paleta de colores",
        "de": "eine Farbpalette;eine Farbtafel;ein Raster aus vielen Farben;eine Farbkarte;ein Farbmosaik;viele bunte Kacheln;Farbpalette",
        "ja": "カラーパレット;色見本;カラーチャート;多くの色の格子;色とりどりのタイル;色のモザイク",
    },
    "broken": {
        "en": "a broken picture;a glitch;a glitchy picture;a corrupted picture;block artefacts;block artifacts;compression artefacts;compression artifacts;a corrupted video;a distorted picture;a picture with decoding errors;a pixelated, broken image;macroblocks;torn blocks;a damaged picture;a garbled picture|the picture is corrupted;the stream is broken;the video is glitching",
        "zh": "损坏的画面;花屏;马赛克;画面破损;画面错误;块状失真;压缩失真;解码错误;画面撕裂;破碎的画面;花屏的画面;画面损坏;故障画面|画面花屏了;视频损坏了",
        "fr": "une image corrompue;un glitch;une image cassée;des artefacts de compression;des blocs;une image abîmée;une image brouillée par des blocs;erreurs de décodage;une image pixelisée;une image déformée|l'image est corrompue;la vidéo est abîmée",
        "es": "una imagen corrupta;un fallo de imagen;una imagen rota;artefactos de compresión;bloques;una imagen dañada;errores de decodificación;una imagen pixelada;una imagen con bloques;una imagen distorsionada|la imagen está corrupta;el vídeo está dañado",
        "de": "ein gestörtes Bild;ein Bildfehler;ein kaputtes Bild;Kompressionsartefakte;Blockartefakte;Klötzchen;ein beschädigtes Bild;Dekodierfehler;ein verpixeltes Bild;Bildstörung;ein verzerrtes Bild|das Bild ist gestört;das Video ist beschädigt",
        "ja": "壊れた画像;乱れた画像;ブロックノイズ;グリッチ;画面の乱れ;圧縮ノイズ;破損した映像;デコードエラー;モザイク状の画面;崩れた画像;壊れた映像|映像が乱れている;画面が壊れている",
    },
    "solid": {
        "en": "a solid colour;a solid color;a plain colour;a single colour;a plain coloured screen;a blank screen;one uniform colour;a screen of one colour|the screen is one colour",
        "zh": "纯色;纯色画面;单色画面;单一颜色;单色屏幕;纯色屏幕",
        "fr": "une couleur unie;un écran uni;une seule couleur;un écran d'une seule couleur;un fond uni",
        "es": "un color sólido;un color liso;un solo color;una pantalla de un solo color;un fondo liso",
        "de": "eine einzige Farbe;eine einfarbige Fläche;ein einfarbiger Bildschirm;einfarbig;eine Vollfarbe",
        "ja": "単色;単色の画面;一色の画面;無地;ベタ塗りの画面",
    },
    "unknown": {
        "en": "a boat;a traffic jam;snow on a mountain;a red dress;an umbrella;a woman with a dog;a dog playing;children;a bridge;a tower;a guitar;a bottle;a plate;a garden;a beach;a lion;an elephant;a bear;a sheep;a snake;a spider;a mouse;a keyboard;a lamp;a bed;a sofa;shoes;a clock;a ship;a motorcycle;a helicopter;a soldier;a doctor;a police car;an ambulance;a fire engine;a knife;a gun;money;a map;a screen with text;subtitles;a video game;a cartoon;a painting;asdfgh;qwerty;foo;the moon;the sun;clouds;a storm;lightning;a desert;an island;ice cream;pizza;bread;cheese;vegetables;fruit;a yellow taxi;a green tree;a blue car;a purple flower;a cat;a dog;a person;a person walking;a car;a red car;a house;a tree;a bird;a face;people in a street;a man;a woman;a child;a bicycle;a bus;a horse;food on a table;a phone;a computer;a book;a flower;the sea;a mountain;a fire;smoke;an empty room;a door;a chair;a football match;a concert;a train;an aeroplane;rain;a city at night;a black cat;a white dog;a green field;a blue sky;a forest;a kitchen;hands;a logo;text;a newspaper;a presenter in a studio;a crowd;two people talking;something else;music;a red apple;a yellow banana;a truck;a robot;nothing;a meeting;a cup of coffee;a cow;a fish;a river;a road;a window;a parking lot;a delivery van;a hat;a running dog;a black car;a white house;a blue shirt;an orange cat;hello world;a photo",
        "zh": "一只老虎;船;交通堵塞;桥;塔;吉他;瓶子;花园;海滩;狮子;大象;熊;蛇;键盘;灯;床;沙发;鞋;时钟;摩托车;直升机;医生;警车;救护车;刀;钱;地图;字幕;游戏;动画片;月亮;太阳;云;沙漠;冰淇淋;面包;蔬菜;水果;红裙子;下雪的山;一只猫;一只狗;一个人;一辆汽车;红色的汽车;一座房子;一棵树;一只鸟;一张脸;街上的人;男人;女人;孩子;自行车;公共汽车;马;桌上的食物;手机;电脑;书;花;大海;山;火;烟;空房间;门;椅子;足球比赛;音乐会;火车;飞机;下雨;城市夜景;黑猫;白狗;绿色的田野;蓝天;森林;厨房;手;标志;文字;报纸;人群;两个人在说话;红苹果;香蕉;卡车;机器人;会议;咖啡;牛;鱼;河;道路;窗户;停车场;黑色的车;白色的房子;你好;主持人;猫的照片;狗的照片",
        "fr": "un bateau;un embouteillage;un pont;une tour;une guitare;une bouteille;un jardin;une plage;un lion;un éléphant;un ours;un clavier;une lampe;un lit;des chaussures;une horloge;une moto;un médecin;une voiture de police;un couteau;de l'argent;une carte;des sous-titres;un dessin animé;la lune;le soleil;des nuages;du pain;des légumes;une robe rouge;la neige sur une montagne;un chat;un chien;une personne;une voiture;une voiture rouge;une maison;un arbre;un oiseau;un visage;des gens dans la rue;un homme;une femme;un enfant;un vélo;un bus;un cheval;de la nourriture sur une table;un téléphone;un ordinateur;un livre;une fleur;la mer;une montagne;un feu;de la fumée;une pièce vide;une porte;une chaise;un match de football;un concert;un train;un avion;la pluie;une ville la nuit;un chat noir;un chien blanc;un champ vert;un ciel bleu;une forêt;une cuisine;des mains;un logo;du texte;un journal;une foule;une pomme rouge;un camion;un robot;une réunion;un café;une vache;un poisson;une rivière;une route;une fenêtre;bonjour",
        "es": "un barco;un atasco;un puente;una torre;una guitarra;una botella;un jardín;una playa;un león;un elefante;un oso;un teclado;una lámpara;una cama;zapatos;un reloj;una moto;un médico;un coche de policía;un cuchillo;dinero;un mapa;subtítulos;dibujos animados;la luna;el sol;nubes;pan;verduras;un vestido rojo;nieve en la montaña;un gato;un perro;una persona;un coche;un coche rojo;una casa;un árbol;un pájaro;una cara;gente en la calle;un hombre;una mujer;un niño;una bicicleta;un autobús;un caballo;comida en la mesa;un teléfono;un ordenador;un libro;una flor;el mar;una montaña;un fuego;humo;una habitación vacía;una puerta;una silla;un partido de fútbol;un concierto;un tren;un avión;lluvia;una ciudad de noche;un gato negro;un perro blanco;un campo verde;un cielo azul;un bosque;una cocina;manos;un logotipo;texto;un periódico;una multitud;una manzana roja;un camión;un robot;una reunión;un café;una vaca;un pez;un río;una carretera;una ventana;hola",
        "de": "ein Boot;ein Stau;eine Brücke;ein Turm;eine Gitarre;eine Flasche;ein Garten;ein Strand;ein Löwe;ein Elefant;ein Bär;eine Tastatur;eine Lampe;ein Bett;Schuhe;eine Uhr;ein Motorrad;ein Arzt;ein Polizeiauto;ein Messer;Geld;eine Landkarte;Untertitel;ein Zeichentrickfilm;der Mond;die Sonne;Wolken;Brot;Gemüse;ein rotes Kleid;Schnee auf einem Berg;eine Katze;ein Hund;eine Person;ein Auto;ein rotes Auto;ein Haus;ein Baum;ein Vogel;ein Gesicht;Leute auf der Straße;ein Mann;eine Frau;ein Kind;ein Fahrrad;ein Bus;ein Pferd;Essen auf dem Tisch;ein Telefon;ein Computer;ein Buch;eine Blume;das Meer;ein Berg;ein Feuer;Rauch;ein leeres Zimmer;eine Tür;ein Stuhl;ein Fußballspiel;ein Konzert;ein Zug;ein Flugzeug;Regen;eine Stadt bei Nacht;eine schwarze Katze;ein weißer Hund;ein grünes Feld;ein blauer Himmel;ein Wald;eine Küche;Hände;ein Logo;Text;eine Zeitung;eine Menschenmenge;ein roter Apfel;ein Lastwagen;ein Roboter;eine Besprechung;ein Kaffee;eine Kuh;ein Fisch;ein Fluss;ein Fenster;hallo",
        "ja": "ライオン;船;渋滞;橋;塔;ギター;瓶;庭;浜辺;象;熊;キーボード;ランプ;ベッド;靴;時計;バイク;医者;パトカー;ナイフ;お金;地図;字幕;アニメ;月;太陽;雲;パン;野菜;赤いドレス;雪山;猫;犬;人;車;赤い車;家;木;鳥;顔;通りの人々;男の人;女の人;子供;自転車;バス;馬;テーブルの食べ物;電話;パソコン;本;花;海;山;火;煙;空の部屋;ドア;椅子;サッカーの試合;コンサート;電車;飛行機;雨;夜の街;黒い猫;白い犬;緑の野原;青い空;森;台所;手;ロゴ;文字;新聞;人混み;赤いりんご;トラック;ロボット;会議;コーヒー;牛;魚;川;道路;窓;駐車場;こんにちは;猫の写真;犬の写真",
    },
}

TEMPLATES = {
    "en": "{};{};{};a picture of {};a photo of {};an image of {};this is {};the camera shows {};a video frame of {};the picture shows {};a screenshot of {};there is {};we see {};an image showing {};a video of {};the screen shows {}",
    "zh": "{};{};{};一张{}的图片;一张{}的照片;{}的图像;这是{};画面中是{};屏幕显示{};{}的画面;图中是{};画面里有{};视频中的{};一幅{}的图;摄像头拍到{}",
    "fr": "{};{};{};une image de {};une photo de {};c'est {};la caméra montre {};on voit {};l'image montre {};image : {};une vidéo de {};il y a {};l'écran montre {}",
    "es": "{};{};{};una imagen de {};una foto de {};esto es {};la cámara muestra {};se ve {};la imagen muestra {};imagen: {};un vídeo de {};hay {};la pantalla muestra {}",
    "de": "{};{};{};ein Bild von {};ein Foto von {};das ist {};die Kamera zeigt {};man sieht {};das Bild zeigt {};Bild: {};ein Video von {};hier ist {};der Bildschirm zeigt {}",
    "ja": "{};{};{};{}の画像;{}の写真;これは{}です;画面に{}が映っている;{}が見える;{}の映像;カメラに{}が映っている;{}の絵;{}です;{}が表示されている",
}

# ---------------------------------------------------------------- solid screens

SCREEN_COLOURS = {
    "solid red": ["red", "红色;红;大红", "rouge", "roja;rojo", "rot", "赤い;赤;真っ赤な"],
    "solid green": ["green", "绿色;绿", "vert;verte", "verde", "grün", "緑の;緑色の;緑"],
    "solid blue": ["blue", "蓝色;蓝", "bleu;bleue", "azul", "blau", "青い;青;青色の"],
    "solid yellow": ["yellow", "黄色;黄", "jaune", "amarilla;amarillo", "gelb", "黄色い;黄色の"],
    "solid cyan": ["cyan;turquoise", "青色;青绿色", "cyan;turquoise", "cian;turquesa", "cyan;türkis", "水色の;シアンの"],
    "solid magenta": ["magenta;purple;pink", "品红色;紫色;粉色", "magenta;violet;rose", "magenta;morada;rosa", "magenta;lila;rosa", "マゼンタの;紫の;ピンクの"],
    "solid orange": ["orange", "橙色;橘色", "orange", "naranja", "orange", "オレンジ色の;橙色の"],
    "solid grey": ["grey;gray", "灰色;灰", "gris;grise", "gris", "grau", "灰色の;グレーの"],
}
SCREEN_TEMPLATES = {
    "en": "a {c} screen;{c} screen;a solid {c} screen;solid {c};a plain {c} picture;a completely {c} picture;an all {c} image;a {c} picture;a blank {c} screen;the screen is {c};a solid {c} picture;a plain {c} screen;nothing but {c};the whole picture is {c};a {c} frame;a uniform {c} image;a single-colour {c} screen;entirely {c};a pure {c} screen;a full {c} screen;the picture is {c};a {c} image",
    "zh": "{c}屏幕;{c}画面;纯{c};纯{c}画面;全{c}画面;屏幕是{c};{c}的屏幕;一片{c};整个画面都是{c};单一{c};{c}的画面;纯{c}屏幕;{c}屏;{c}背景;全{c};一个{c}的屏幕;画面全是{c};画面是{c}的;一块{c}屏幕",
    "fr": "un écran {m};écran {m};un écran {m} uni;{m} uni;une image toute {f};une image {f};l'écran est {m};un fond {m} uni;tout l'écran est {m};une image entièrement {f};un écran entièrement {m};un écran tout {m};rien que du {m}",
    "es": "una pantalla {f};pantalla {f};una pantalla {f} lisa;{m} sólido;una imagen toda {f};una imagen {f};la pantalla es {f};un fondo {m} liso;toda la pantalla es {f};una imagen completamente {f};una pantalla completamente {f};una pantalla de color {m};color {m} sólido;una pantalla {f} sólida",
    "de": "ein {c}er Bildschirm;{c}er Bildschirm;ein ganz {c}er Bildschirm;reines {C};ein {c}es Bild;ein einfarbig {c}er Bildschirm;der Bildschirm ist {c};ein komplett {c}es Bild;alles {c};einfarbig {c};das ganze Bild ist {c};eine {c}e Fläche;ein {c}es Vollbild;der Bildschirm ist ganz {c}",
    "ja": "{c}画面;{c}単色の画面;{c}一色の画面;一面{c}画面;{c}映像;画面が{c};{c}スクリーン;全面{c}画面;{c}だけの画面;{c}無地の画面;{c}画像;{c}単色画面",
}
# (masculine, feminine) where the second form differs
_FEMININE_FR = {"vert": "verte", "bleu": "bleue", "violet": "violette", "gris": "grise"}
_FEMININE_ES = {"rojo": "roja", "amarillo": "amarilla", "morado": "morada"}
_MASCULINE = {v: k for d in (_FEMININE_FR, _FEMININE_ES) for k, v in d.items()}


def screen_texts(name, language):
    words = SCREEN_COLOURS[name][LANGUAGES.index(language)].split(";")
    found = []
    for word in words:
        masculine = _MASCULINE.get(word, word)
        feminine = {**_FEMININE_FR, **_FEMININE_ES}.get(masculine, masculine)
        for template in SCREEN_TEMPLATES[language].split(";"):
            if language == "de" and word in ("rosa", "lila", "orange", "cyan", "magenta", "türkis"):
                template = template.replace("{c}er", "{c}farbener").replace("{c}es", "{c}farbenes").replace("{c}e ", "{c}farbene ")
            text = template.format(c=word, m=masculine, f=feminine, C=word.capitalize())
            if language == "zh" and not word.endswith("色"):
                text = text.replace("红的", "红色的").replace("绿的", "绿色的").replace("蓝的", "蓝色的")
            found.append(text)
    return found


# ---------------------------------------------------------------- coloured shapes

COLOUR_WORDS = {
    # en and zh: plain words; fr and es: masculine/feminine/plural m/plural f;
    # de: stem to be inflected or a fixed form after "!"; ja: form before a noun
    "red": ["red", "红色;红", "rouge/rouge/rouges/rouges", "rojo/roja/rojos/rojas", "rot", "赤い;赤;赤色の"],
    "orange": ["orange", "橙色;橙;橘色", "orange/orange/orange/orange", "naranja/naranja/naranjas/naranjas;anaranjado/anaranjada/anaranjados/anaranjadas", "orangefarben;orangen;!orange", "オレンジ色の;オレンジの;橙色の"],
    "yellow": ["yellow", "黄色;黄", "jaune/jaune/jaunes/jaunes", "amarillo/amarilla/amarillos/amarillas", "gelb", "黄色い;黄色の"],
    "green": ["green", "绿色;绿", "vert/verte/verts/vertes", "verde/verde/verdes/verdes", "grün", "緑の;緑色の;緑"],
    "cyan": ["cyan;turquoise;aqua", "青色;青绿色;蓝绿色;青", "cyan/cyan/cyan/cyan;turquoise/turquoise/turquoise/turquoise", "cian/cian/cian/cian;turquesa/turquesa/turquesas/turquesas", "cyanfarben;türkisfarben;türkisen;!cyan;!türkis", "水色の;シアンの;シアン色の;青緑色の"],
    "blue": ["blue", "蓝色;蓝", "bleu/bleue/bleus/bleues", "azul/azul/azules/azules", "blau", "青い;青;青色の"],
    "purple": ["purple;violet", "紫色;紫", "violet/violette/violets/violettes;pourpre/pourpre/pourpres/pourpres", "morado/morada/morados/moradas;violeta/violeta/violetas/violetas;púrpura/púrpura/púrpuras/púrpuras", "lilafarben;violett;!lila", "紫の;紫色の;紫"],
    "white": ["white", "白色;白", "blanc/blanche/blancs/blanches", "blanco/blanca/blancos/blancas", "weiß;weiss", "白い;白;白色の"],
    "pink": ["pink", "粉色;粉红色;粉红", "rose/rose/roses/roses", "rosa/rosa/rosas/rosas;rosado/rosada/rosados/rosadas", "rosafarben;pinkfarben;!rosa;!pink", "ピンクの;ピンク色の;桃色の"],
    "black": ["black", "黑色;黑", "noir/noire/noirs/noires", "negro/negra/negros/negras", "schwarz", "黒い;黒;黒色の"],
}
SHAPE_WORDS = {
    "circle": ["circle;circle;disc;disk;dot;round shape;filled circle", "圆形;圆;圆圈;圆点;圆盘;实心圆", "cercle:m;cercle:m;disque:m;rond:m;point:m", "círculo:m;círculo:m;disco:m;redondel:m;punto:m", "Kreis:m;Kreis:m;Scheibe:f;Punkt:m", "円;丸;円形;丸い形;ドット;まる"],
    "square": ["square;square;square;box;square shape", "正方形;方形;方块;四方形;正方块", "carré:m;carré:m;carré:m", "cuadrado:m;cuadrado:m;cuadro:m", "Quadrat:n;Quadrat:n;Viereck:n", "四角;正方形;四角形;四角い形"],
    "triangle": ["triangle;triangle;triangle shape", "三角形;三角;三角形", "triangle:m;triangle:m", "triángulo:m;triángulo:m", "Dreieck:n;Dreieck:n", "三角;三角形;三角の形"],
    "star": ["star;star;star shape;five-pointed star", "星形;星星;五角星;星", "étoile:f;étoile:f;étoile à cinq branches:f", "estrella:f;estrella:f;estrella de cinco puntas:f", "Stern:m;Stern:m;Sternform:f", "星;星形;星型;五芒星"],
    "cross": ["cross;cross;plus sign;cross shape;plus", "十字;十字形;叉;加号;十字架;交叉形;十字形状", "croix:f;croix:f;signe plus:m", "cruz:f;cruz:f;signo más:m", "Kreuz:n;Kreuz:n;Pluszeichen:n", "十字;十字形;バツ印;プラス記号;十字の形;クロス;十字架"],
    "ring": ["ring;ring;hollow circle;annulus;ring shape;circle outline", "圆环;环;环形;空心圆;圆环形;戒指形", "anneau:m;anneau:m;cercle creux:m;cercle vide:m", "anillo:m;anillo:m;aro:m;círculo hueco:m", "Ring:m;Ring:m;Kreisring:m;hohler Kreis:m", "輪;リング;環;円環;輪っか;ドーナツ形;中空の円"],
}
ENGLISH_PLURAL = {"box": "boxes", "cross": "crosses", "plus": "plus signs", "annulus": "annuli"}


def _pick(generator, text):
    options = text.split(";")
    return options[generator.integers(len(options))]


def _choice(generator, options):
    return options[generator.integers(len(options))]


def shape_text(colour, shape, language, generator):
    """One wording of a coloured shape; colour or shape may be None for "anything"."""
    at = LANGUAGES.index(language)
    c = _pick(generator, COLOUR_WORDS[colour][at]) if colour else None
    s = _pick(generator, SHAPE_WORDS[shape][at]) if shape else None
    kind = generator.random()
    if language == "en":
        s = s or _choice(generator, ["shape", "thing", "object", "figure"])
        if kind < 0.15:
            plural = ENGLISH_PLURAL.get(s) or ENGLISH_PLURAL.get(s.split()[-1]) and s or s + "s"
            if s == "cross shape":
                plural = "cross shapes"
            return _choice(generator, ["{c} {p}", "several {c} {p}", "some {c} {p}", "two {c} {p}", "three {c} {p}", "a few {c} {p}", "many {c} {p}"]).format(c=c or "", p=plural).replace("  ", " ").strip()
        noun = (c + " " + s) if c else s
        an = "an" if noun[0] in "aeiou" else "a"
        if c and kind < 0.27:
            return _choice(generator, ["a {s} that is {c}", "the {s} is {c}", "a {s} in {c}", "{s}, {c}", "a bright {c} {s}", "a {c}-coloured {s}", "a {c}-colored {s}", "a dark {c} {s}"]).format(c=c, s=s)
        return _choice(generator, ["{an} {n}", "{an} {n}", "{an} {n}", "{n}", "{n}", "the {n}", "one {n}", "a single {n}", "a big {n}", "a small {n}", "a large {n}", "{an} {n} on a background", "{an} {n} on a plain background"]).format(an=an, n=noun)
    if language == "zh":
        s = s or _choice(generator, ["形状", "东西", "图形", "物体"])
        if not c:
            return _choice(generator, ["{s}", "一个{s}", "一个{s}", "几个{s}", "{s}图案"]).format(s=s)
        if len(c) == 1 and kind < 0.6:
            return _choice(generator, ["{c}{s}", "一个{c}{s}"]).format(c=c, s=s)
        c = c if c.endswith("色") else c + "色"
        return _choice(generator, ["{c}{s}", "{c}的{s}", "一个{c}的{s}", "一个{c}{s}", "一个{c}的{s}", "几个{c}{s}", "几个{c}的{s}", "大{c}{s}", "一个小的{c}{s}", "{s}是{c}的", "一颗{c}的{s}" if shape == "star" else "一个{c}的{s}"]).format(c=c, s=s)
    if language in ("fr", "es"):
        fallback = {"fr": ["forme:f", "objet:m"], "es": ["forma:f", "objeto:m", "figura:f"]}
        s, gender = (s or _choice(generator, fallback[language])).split(":")
        forms = c.split("/") if c else [""] * 4
        if kind < 0.15:
            head = s.split(" ")
            head[0] += "s" if language == "fr" and head[0][-1] not in "sx" else ""
            if language == "fr":
                head[0] = {"anneaus": "anneaux"}.get(head[0], head[0])
            else:
                head[0] = {"cruz": "cruces"}.get(head[0], head[0] if head[0][-1] == "s" else head[0] + "s")
            form = forms[2 if gender == "m" else 3]
            start = {"fr": ["des ", "plusieurs ", "les ", "deux ", "trois ", ""], "es": ["unos " if gender == "m" else "unas ", "varios " if gender == "m" else "varias ", "dos ", "tres ", ""]}[language]
            return (_choice(generator, start) + " ".join(head) + " " + form).strip()
        form = forms[0 if gender == "m" else 1]
        noun = (s + " " + form).strip()
        if language == "fr":
            article = "un" if gender == "m" else "une"
            definite = "l'" if noun[0] in "aeioué" else ("le " if gender == "m" else "la ")
            size = _choice(generator, ["grand ", "petit "] if gender == "m" else ["grande ", "petite "])
            extra = ["{s} de couleur " + forms[0], "{u} {s} de couleur " + forms[0], "{d}{s} est {f}"] if c else []
            return _choice(generator, ["{u} {n}", "{u} {n}", "{u} {n}", "{n}", "{n}", "{d}{n}", "{u} {z}{n}", "un seul {n}" if gender == "m" else "une seule {n}"] + extra).format(u=article, n=noun, d=definite, z=size, s=s, f=form)
        article = "un" if gender == "m" else "una"
        definite = "el" if gender == "m" else "la"
        size = _choice(generator, ["grande", "pequeño" if gender == "m" else "pequeña"])
        extra = ["{s} de color " + forms[0], "{u} {s} de color " + forms[0], "{d} {s} es {f}"] if c else []
        return _choice(generator, ["{u} {n}", "{u} {n}", "{u} {n}", "{n}", "{n}", "{d} {n}", "{u} {n} {z}", "{u} solo {n}" if gender == "m" else "{u} sola {n}"] + extra).format(u=article, n=noun, d=definite, z=size, s=s, f=form)
    if language == "de":
        s, gender = (s or _choice(generator, ["Form:f", "Ding:n", "Objekt:n"])).split(":")
        if s == "hohler Kreis":
            if kind < 0.5 or not c:
                s = "Ring"
            else:
                stem = c.lstrip("!")
                return "ein hohler Kreis in " + stem
        fixed = bool(c) and c.startswith("!")
        stem = (c or "").lstrip("!")
        def inflect(ending):
            return stem if fixed or not stem else stem + ending
        indefinite = {"m": "er", "f": "e", "n": "es"}[gender]
        article = {"m": "ein", "f": "eine", "n": "ein"}[gender]
        definite = {"m": "der", "f": "die", "n": "das"}[gender]
        if kind < 0.15:
            plural = {"Kreis": "Kreise", "Scheibe": "Scheiben", "Punkt": "Punkte", "Quadrat": "Quadrate", "Viereck": "Vierecke", "Dreieck": "Dreiecke", "Stern": "Sterne", "Sternform": "Sternformen", "Kreuz": "Kreuze", "Pluszeichen": "Pluszeichen", "Ring": "Ringe", "Kreisring": "Kreisringe", "Form": "Formen", "Ding": "Dinge", "Objekt": "Objekte"}[s]
            return (_choice(generator, ["", "mehrere ", "einige ", "zwei ", "drei ", "viele "]) + inflect("e") + " " + plural).replace("  ", " ").strip()
        noun = (inflect(indefinite) + " " + s).strip()
        size = _choice(generator, ["groß", "klein"]) + indefinite
        extra = ["{d} {s} ist {b}", "{u} {s} in {B}"] if c else []
        return _choice(generator, ["{u} {n}", "{u} {n}", "{u} {n}", "{n}", "{n}", "{d} {k}", "{u} {z} {n}", "{u} einziges {n}" if gender == "n" else "{u} {n}"] + extra).format(u=article, n=noun, d=definite, k=(inflect("e") + " " + s).strip(), z=size, s=s, b=stem, B=stem.capitalize())
    s = s or _choice(generator, ["形", "もの", "図形", "物体"])
    if not c:
        return _choice(generator, ["{s}", "一つの{s}", "{s}の形", "いくつかの{s}"]).format(s=s)
    if not c.endswith(("い", "の")):
        if kind < 0.5:
            return c + s
        c += "い" if c in ("赤", "青", "白", "黒") else "の"
    return _choice(generator, ["{c}{s}", "{c}{s}", "{c}{s}", "一つの{c}{s}", "{c}{s}が一つ", "大きな{c}{s}", "小さい{c}{s}", "いくつかの{c}{s}", "{c}大きな{s}", "{s}は{b}"]).format(c=c, s=s, b=c.rstrip("の"))


COLOUR_ONLY = {
    "en": ["{c}", "the colour {c}", "the color {c}", "something {c}", "a {c} thing", "{c} things"],
    "zh": ["{c}", "{c}的东西", "{c}物体"],
    "fr": ["{c}", "la couleur {c}", "quelque chose de {c}"],
    "es": ["{c}", "el color {c}", "algo {c}"],
    "de": ["{c}", "die Farbe {C}", "etwas {C}es"],
    "ja": ["{c}", "{c}もの", "{c}物体"],
}


def _dress(text, generator):
    """Capital letters and full stops, as people type them."""
    draw = generator.random()
    if draw < 0.22:
        text = text[0].upper() + text[1:]
    elif draw < 0.27:
        text = text.title()
    elif draw < 0.31:
        text = text.upper()
    elif draw < 0.37:
        text = text.lower()
    if generator.random() < 0.1:
        text += "。" if ord(text[-1]) > 0x3000 else "."
    return text


def concept_text(name, language, generator, dress=True):
    """One wording of a concept in a language, drawn at random."""
    whole = False
    if name in SCREEN_COLOURS:
        text = _choice(generator, screen_texts(name, language))
        whole = True
    elif name in HEALTH_WORDS:
        parts = HEALTH_WORDS[name][language].split("|")
        if len(parts) > 1 and generator.random() < 0.12:
            text, whole = _pick(generator, parts[1]), True
        else:
            text = _pick(generator, parts[0])
    elif name.startswith("colour "):
        colour = name[7:]
        if generator.random() < 0.5:
            text = shape_text(colour, None, language, generator)
        else:
            word = _pick(generator, COLOUR_WORDS[colour][LANGUAGES.index(language)]).split("/")[0].lstrip("!")
            text, whole = _choice(generator, COLOUR_ONLY[language]).format(c=word, C=word.capitalize()), True
    elif name.startswith("shape "):
        text = shape_text(None, name[6:], language, generator)
    else:
        colour, shape = name.split()
        text = shape_text(colour, shape, language, generator)
    if not whole:
        text = _pick(generator, TEMPLATES[language]).format(text)
        if language == "fr":
            text = text.replace("de une", "d'une").replace("de un", "d'un").replace("de des ", "de ").replace("de de ", "de ")
    return _dress(text, generator) if dress else text


# ---------------------------------------------------------------- measured phrases

# One plain phrase for each concept and language: the list `measure.py` scores against.
# A white screen and an overexposed picture are one concept to the measurement: either phrase is right for both.
MEASURED_HEALTH = {
    "bars": ["colour bars", "彩条", "barres de couleur", "barras de color", "Farbbalken", "カラーバー"],
    "static": ["static noise", "雪花噪点", "de la neige", "ruido estático", "Rauschen", "砂嵐"],
    "black": ["a black screen", "黑屏", "un écran noir", "una pantalla negra", "ein schwarzer Bildschirm", "黒い画面"],
    "white": ["a white screen", "白屏", "un écran blanc", "una pantalla blanca", "ein weißer Bildschirm", "白い画面"],
    "overexposed": ["an overexposed picture", "过度曝光的画面", "une image surexposée", "una imagen sobreexpuesta", "ein überbelichtetes Bild", "白飛びした画像"],
    "dark": ["a dark picture", "昏暗的画面", "une image sombre", "una imagen oscura", "ein dunkles Bild", "暗い画像"],
    "blurred": ["a blurred picture", "模糊的画面", "une image floue", "una imagen borrosa", "ein unscharfes Bild", "ぼやけた画像"],
    "solid red": ["a red screen", "红色屏幕", "un écran rouge", "una pantalla roja", "ein roter Bildschirm", "赤い画面"],
    "solid green": ["a green screen", "绿色屏幕", "un écran vert", "una pantalla verde", "ein grüner Bildschirm", "緑の画面"],
    "solid blue": ["a blue screen", "蓝色屏幕", "un écran bleu", "una pantalla azul", "ein blauer Bildschirm", "青い画面"],
    "checkerboard": ["a checkerboard", "棋盘格", "un damier", "un tablero de ajedrez", "ein Schachbrettmuster", "市松模様"],
    "gradient": ["a gradient", "渐变", "un dégradé", "un degradado", "ein Farbverlauf", "グラデーション"],
    "concentric": ["concentric circles", "同心圆", "des cercles concentriques", "círculos concéntricos", "konzentrische Kreise", "同心円"],
    "ball": ["a ball on black", "黑色背景上的球", "une balle sur fond noir", "una pelota sobre fondo negro", "ein Ball auf schwarzem Hintergrund", "黒い背景のボール"],
    "clear": ["a clear picture", "清晰的画面", "une image nette", "una imagen nítida", "ein klares Bild", "鮮明な画像"],
}


def measured_pair(colour, shape, language):
    """The plain phrase for a coloured shape."""
    at = LANGUAGES.index(language)
    c = COLOUR_WORDS[colour][at].split(";")[0]
    s = SHAPE_WORDS[shape][at].split(";")[0]
    if language == "en":
        return ("an " if c[0] in "aeiou" else "a ") + c + " " + s
    if language == "zh":
        return "一个" + c + "的" + s
    if language == "de":
        s, gender = s.split(":")
        return {"m": "ein {}er {}", "f": "eine {}e {}", "n": "ein {}es {}"}[gender].format(c, s)
    if language == "ja":
        return c + s
    s, gender = s.split(":")
    article = {"fr": {"m": "un", "f": "une"}, "es": {"m": "un", "f": "una"}}[language][gender]
    return article + " " + s + " " + c.split("/")[0 if gender == "m" else 1]
