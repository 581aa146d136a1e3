"""The cheap sign of a language: clear where it must be, silent on English."""

import pytest

from model.encoders.language import Language, read_language
from tests.topics import write_texts

OTHER = {
    "French": ["Le train de ce matin a eu du retard.", "Je voudrais annuler ma commande et être remboursé."],
    "Spanish": [
        "El precio del pan ha subido otra vez.",
        "La película me pareció demasiado larga para los dos.",
    ],
    "German": ["Der Akku ist nach drei Monaten schon kaputt.", "Können Sie mir auch einen Termin geben?"],
    "Polish": ["Nie mogę się zalogować do konta.", "Przesyłka jest już na poczcie."],
    "Turkish": ["Telefonun ekranı çok güzel ama pili çabuk bitiyor.", "Siparişimi iptal etmek istiyorum."],
    "Vietnamese": ["Tôi muốn đổi vé máy bay sang ngày khác.", "Phòng khách sạn của tôi rất sạch."],
    "Indonesian": ["Harga beras naik di pasar dan di toko.", "Saya tidak bisa masuk ke akun saya."],
    "Swahili": ["Timu ya taifa imeshinda mechi yake ya kwanza.", "Serikali imetangaza bei mpya za mafuta."],
    "Hausa": ["Gwamnati ta sanar da sabon farashin man fetur.", "Ba na iya shiga cikin asusuna."],
    "Russian": ["Доставка опоздала на неделю.", "Как мне оформить возврат?"],
    "Arabic": ["لا أستطيع تسجيل الدخول إلى حسابي.", "فاز الفريق بهدفين."],
    "Hindi": ["मेरा पार्सल अभी तक नहीं पहुँचा है।", "गाने बहुत अच्छे हैं।"],
    "Chinese": ["这家酒店的房间很干净。", "央行宣布降息。"],
    "Japanese": ["昨日の試合は引き分けで終わった。", "残高を教えてください。"],
    "Korean": ["배송이 빠르고 포장이 깔끔했어요.", "비밀번호를 잊어버렸어요."],
}
ENGLISH = {
    "sentences": ["My card was declined at the shop.", "The committee will publish its report."],
    "questions": ["wheres my card", "exchange rate wrong abroad", "how does scheduling a meeting work"],
    "names of goods": ["red shirt XL", "blue jeans size 34", "USB-C cable 2m", "café table, oak"],
    "names of people": ["José Álvarez said that he will not be at the meeting", "the prize of Zoë Kravitz"],
    "letters and signs": ["A-12 / B-7", "x", "42", "😀 👍 ok", "z: 3 de 4"],
    "topics": write_texts(50),
    "nothing": ["", "   ", "12345 !!!"],
    "no texts": [],
}


@pytest.mark.parametrize("language", sorted(OTHER))
def test_texts_of_another_language_are_told_from_english(language):
    assert read_language(OTHER[language]).fit == "other"


@pytest.mark.parametrize("kind", sorted(ENGLISH))
def test_english_and_what_has_no_language_are_left_alone(kind):
    assert read_language(ENGLISH[kind]).fit == "english"


@pytest.mark.parametrize("language", sorted(OTHER))
def test_a_sample_of_two_languages_is_never_clear(language):
    english = [
        f"{text} I do not know what it was or who they were, and that is all." for text in OTHER[language]
    ]
    assert read_language(english * 3 + ENGLISH["sentences"] * 20).fit in {"english", "mixed"}


def test_pieces_that_the_encoder_does_not_know_are_a_sign_too():
    assert read_language(["😀👍 😡"], unknown=1.0).fit == "other"
    assert read_language(["I like it 😀 and that was all of it"], unknown=0.2).fit == "mixed"


def test_shares_are_of_all_words_and_letters_together():
    found = read_language(["the card", "la carte", "ñ"] * 4)
    assert found == Language(english=0.2, foreign=0.2, not_english=1 / 15, unknown=0.0)


def test_a_handful_of_words_tells_nothing():
    assert read_language(["la la"]).foreign == 0.1
    assert read_language(["El Niño"]).fit == "mixed"
